-- verpost 027: what an address should make one think of: offices instead of people, mailboxes to throw away, slips of a domain.

CREATE TABLE address_rule (
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('role', 'disposable', 'typo')),
    value text COLLATE "C" NOT NULL CHECK (value = lower(value) AND octet_length(value) BETWEEN 1 AND 253), -- a local part, or a domain in A-labels
    action text COLLATE "C" NOT NULL DEFAULT 'warn' CHECK (action IN ('off', 'warn', 'refuse')),
    hint text COLLATE "C" NOT NULL DEFAULT '' CHECK (octet_length(hint) <= 253), -- typo: the domain that is meant
    source text COLLATE "C" NOT NULL DEFAULT 'own' CHECK (source IN ('builtin', 'own')),
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (kind, value),
    CHECK (kind = 'typo' OR hint = ''),
    CHECK (kind <> 'typo' OR value = '*' OR hint <> '' OR action = 'off')
);

-- A later migration adds with ON CONFLICT DO NOTHING: what an administrator has set stays.
INSERT INTO address_rule (kind, value, source)
SELECT 'role', value, 'builtin' FROM regexp_split_to_table(trim($$
        abuse accounting accounts accountspayable accueil admin administracion administracja administration administrator alert alerts all
        amministrazione anfrage atencion auto-reply automailer autoreply bestellung bewerbung billing biuro board booking bookings bounce
        bounces buchhaltung buero career careers claims clientes comercial commande commercial compliance compras comptabilite comunicacion
        contabilidad contact contact-us contacto contactus contato contatti contracts customer-service customer.service customercare
        customers customerservice daemon datenschutz devnull direction dns dnsadmin dnstech do-not-reply domain domains donotreply dpo
        editor editorial education einkauf email empfang enquiries enquiry events everybody everyone facilities facturacion facturation
        faktura fattura fax feedback finance ftp fundraising gdpr geschaeftsfuehrung hello help helpdesk hostinfo hostmaster hr
        humanresources info info-mail informacion informatica information informatique informazioni infra inquiries inquiry invoice invoices
        ispfeedback ispsupport it itsupport jobs junk kantoor kontakt kundendienst kundenservice layanan legal list listmaster lists
        listserv mail mailer mailer-daemon mailerdaemon majordomo marketing media members membership network news newsletter newsletters
        no-reply no.reply nobody noc noreply notification notifications notify null office operations ops order orders ordini owner partners
        payment payments payroll pedidos personal phish phishing postmaster prensa press presse privacy procurement purchasing reception
        rechnung recruiting recruitment redaktion refunds registrar registration remove reply request reservations returns root sale sales
        secretariat secretary security segreteria sekretariat service service-client services shipping shop soporte spam staff store
        students subscribe subscription subscriptions support sysadmin sysop system team tech technical techsupport test tester testing
        trade training undisclosed-recipients unsubscribe usenet uucp vendas ventas verkauf vertrieb verwaltung volunteer volunteers
        warehouse web webadmin webmaster webteam www www-data wwwadmin
$$, E' \n'), '\s+') AS value;

INSERT INTO address_rule (kind, value, source)
SELECT 'disposable', value, 'builtin' FROM regexp_split_to_table(trim($$
        10mail.org 10minemail.com 10minutemail.co.uk 10minutemail.com 10minutemail.de 10minutemail.net 1secmail.com 1secmail.net
        1secmail.org 20mail.it 20minutemail.com 30minutemail.com 3d-painting.com 4warding.com 5mail.cf 60minutemail.com 6url.com 7tags.com
        9mail.cf a-bc.net abyssmail.com afrobacon.com ajaxapp.net amilegit.com amiri.net anonbox.net anonymbox.com antireg.com antispam.de
        armyspy.com artman-conception.com azmeil.tk beefmilk.com bigstring.com binkmail.com bio-muesli.net bobmail.info bofthew.com
        bootybay.de boun.cr bouncr.com brefmail.com brennendesreich.de broadbandninja.com bsnow.net bspamfree.org bugmenot.com bumpymail.com
        burstmail.info byom.de casualdx.com centermail.com centermail.net chammy.info chogmail.com consumerriot.com cosmorph.com
        courriel.fr.nf courrieltemporaire.com crapmail.org cubiclink.com curryworld.de cust.in cuvox.de dacoolest.com dandikmail.com
        dayrep.com deadaddress.com deadspam.com despam.it despammed.com devnullmail.com digitalsanctuary.com discard.email discardmail.com
        discardmail.de disposableaddress.com disposableemailaddresses.com disposableinbox.com dispose.it dispostable.com dodgeit.com
        dodgit.com donemail.ru dontreg.com dontsendmespam.de drdrb.com drdrb.net dropmail.me dump-email.info dumpandjunk.com dumpmail.de
        dumpyemail.com e4ward.com easytrashmail.com einrot.com email60.com emaildienst.de emailfake.com emailigo.de emailinfive.com
        emailmiser.com emailondeck.com emailsensei.com emailtemporanea.com emailtemporanea.net emailtemporar.ro emailtemporario.com.br
        emailthe.net emailtmp.com emailto.de emailwarden.com emailxfer.com emltmp.com emz.net ero-tube.org etranquil.com etranquil.net
        etranquil.org evopo.com explodemail.com eyepaste.com fakeinbox.com fakeinformation.com fakemail.fr fakemail.net
        fakemailgenerator.com fansworldwide.de fantasymail.de fastacura.com fastchevy.com fastmazda.com fightallspam.com filzmail.com
        fivemail.de fleckens.hu flyspam.com footard.com forgetmail.com fr33mail.info frapmail.com friendlymail.co.uk front14.org
        fudgerub.com fux0ringduh.com fyii.de garliclife.com gehensiemirnichtaufdensack.de get1mail.com get2mail.fr getairmail.com
        getmails.eu getnada.com getonemail.com getonemail.net ghosttexter.de giantmail.de girlsundertheinfluence.com gishpuppy.com
        goemailgo.com greensloth.com grr.la gsrv.co.uk guerillamail.biz guerillamail.com guerillamail.net guerillamail.org guerrillamail.biz
        guerrillamail.com guerrillamail.de guerrillamail.info guerrillamail.net guerrillamail.org guerrillamailblock.com gustr.com h8s.org
        haltospam.com harakirimail.com hat-geld.de hatespam.org herp.in hidemail.de hidzz.com hmamail.com hochsitze.com hopemail.biz
        hulapla.de ieatspam.eu ieatspam.info ihateyoualot.info iheartspam.org imails.info inboxalias.com inboxbear.com inboxclean.com
        inboxclean.org inboxkitten.com incognitomail.com incognitomail.net incognitomail.org insorg-mail.info ipoo.org irish2me.com
        jetable.com jetable.fr.nf jetable.net jetable.org jnxjn.com jourrapide.com jsrsolutions.com junk1e.com kasmail.com kaspop.com
        keepmymail.com killmail.com killmail.net klassmaster.com klzlk.com koszmail.pl kulturbetrieb.info kurzepost.de letthemeatspam.com
        lhsdv.com lifebyfood.com link2mail.net litedrop.com lookugly.com lortemail.dk lr78.com m4ilweb.info maboard.com mail-filter.com
        mail-temporaire.fr mail.tm mail1a.de mail21.cc mail2rss.org mail333.com mail4trash.com mailbidon.com mailblocks.com mailbucket.org
        mailcat.biz mailcatch.com mailde.de mailde.info maildrop.cc maildu.de maileater.com mailexpire.com mailfa.tk mailforspam.com
        mailfreeonline.com mailfs.com mailguard.me mailimate.com mailin8r.com mailinater.com mailinator.com mailinator.net mailinator.org
        mailinator2.com mailincubator.com mailismagic.com mailme.ir mailme.lv mailme24.com mailmetrash.com mailmoat.com mailnator.com
        mailnesia.com mailnull.com mailorg.org mailpick.biz mailpoof.com mailquack.com mailrock.biz mailsac.com mailscrap.com mailseal.de
        mailshell.com mailsiphon.com mailslapping.com mailslite.com mailsucker.net mailtemp.info mailtemporaire.com mailtemporaire.fr
        mailtothis.com mailtrash.net mailtv.net mailzilla.com mailzilla.org makemetheking.com mbx.cc meinspamschutz.de meltmail.com
        messagebeamer.de mezimages.net mierdamail.com mintemail.com minuteinbox.com moakt.cc moakt.co moakt.com moakt.ws mohmal.com
        mohmal.im mohmal.in moncourrier.fr.nf monemail.fr.nf monmail.fr.nf monumentmail.com mt2009.com mt2014.com mycleaninbox.net
        mypartyclip.de myphantomemail.com mysamp.de mytemp.email mytempemail.com mytempmail.com mytrashmail.com nabuma.com nepwk.com
        nervmich.net nervtmich.net netzidiot.de nice-4u.com nincsmail.hu no-spam.ws nobulk.com noclickemail.com nogmailspam.info
        nomail2me.com nomorespamemails.com nospam4.us nospamfor.us nospamthanks.info notmailinator.com nowmymail.com nurfuerspam.de
        nwldx.com objectmail.com obobbo.com odnorazovoe.ru one-time.email oneoffemail.com onewaymail.com opayq.com ordinaryamerican.net
        otherinbox.com ovpn.to owlpic.com pancakemail.com pimpedupmyspace.com pjjkp.com plexolan.de politikerclub.de poofy.org pookmail.com
        privatdemail.net proxymail.eu prtnx.com punkass.com putthisinyourspamdatabase.com quickinbox.com rcpt.at reallymymail.com recode.me
        regbypass.com rejectmail.com rhyta.com rklips.com rmqkr.net rppkn.com rtrtr.com s0ny.net safersignup.de safetymail.info
        safetypost.de sandelf.de saynotospams.com schafmail.de selfdestructingmail.com sendspamhere.com sharklasers.com shieldemail.com
        shiftmail.com shitmail.me shortmail.net sinnlos-mail.de skeefmail.com slaskpost.se slopsbox.com smellfear.com snakemail.com
        sofort-mail.de sogetthis.com soodonims.com spam.la spam.su spam4.me spamail.de spambob.com spambob.net spambob.org spambog.com
        spambog.de spambog.ru spambox.info spambox.us spamcero.com spamcon.org spamcorptastic.com spamcowboy.com spamcowboy.net
        spamcowboy.org spamday.com spamex.com spamfree.eu spamfree24.com spamfree24.de spamfree24.eu spamfree24.info spamfree24.net
        spamfree24.org spamgoes.in spamherelots.com spamhereplease.com spamhole.com spamify.com spaml.com spaml.de spammotel.com
        spamobox.com spamslicer.com spamspot.com spamstack.net spamthis.co.uk spamtrail.com spoofmail.de stuffmail.de super-auswahl.de
        supergreatmail.com supermailer.jp superrito.com superstachel.de suremail.info talkinator.com teewars.org teleworm.com teleworm.us
        temp-mail.com temp-mail.de temp-mail.org temp-mail.ru tempail.com tempalias.com tempe-mail.com tempemail.biz tempemail.co.za
        tempemail.com tempemail.net tempinbox.co.uk tempinbox.com tempmail.de tempmail.eu tempmail.it tempmail.plus tempmail2.com
        tempmaildemo.com tempmailer.com tempmailer.de tempmailo.com tempomail.fr temporarily.de temporarioemail.com.br temporaryemail.net
        temporaryforwarding.com temporaryinbox.com temporarymailaddress.com tempr.email thankyou2010.com thisisnotmyrealemail.com throam.com
        throwam.com throwawayemailaddress.com throwawaymail.com tilien.com tittbit.in tmail.ws tmailinator.com tmpmail.net tmpmail.org
        toiea.com toomail.biz topranklist.de tradermail.info trash-amil.com trash-mail.at trash-mail.com trash-mail.de trash2009.com
        trashdevil.com trashdevil.de trashemail.de trashmail.at trashmail.com trashmail.de trashmail.io trashmail.me trashmail.net
        trashmail.org trashmail.ws trashmailer.com trashymail.com trashymail.net trbvm.com trillianpro.com turual.com twinmail.de tyldd.com
        uggsrock.com upliftnow.com uplipht.com uroid.com venompen.com veryrealemail.com viditag.com viewcastmedia.com vomoto.com vubby.com
        walala.org walkmail.net webemail.me webm4il.info wegwerfadresse.de wegwerfemail.com wegwerfemail.de wegwerfmail.de wegwerfmail.info
        wegwerfmail.net wegwerfmail.org wetrainbayarea.com wh4f.org whatiaas.com whatpaas.com whatsaas.com whyspam.me wilemail.com
        willhackforfood.biz willselfdestruct.com winemaven.info wuzup.net wuzupmail.net wwwnew.eu xagloo.com xemaps.com xents.com xmaily.com
        yapped.net yep.it yopmail.com yopmail.fr yopmail.gq yopmail.net yuurok.com zehnminutenmail.de zippymail.info zoaxe.com zoemail.org
        zomg.info
$$, E' \n'), '\s+') AS value;

-- What lib/mail/address_typo finds by itself. Other rows of the kind are domains: a slip of its own, or, switched off, none.
INSERT INTO address_rule (kind, value, source) VALUES ('typo', '*', 'builtin');
