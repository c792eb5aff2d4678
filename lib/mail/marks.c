#include "mail/marks.h"

#include <stddef.h>

/* clang-format off */
#define PHRASES(...) (const char *const[]){ __VA_ARGS__, NULL }

const char *const *const marks[MARK_COUNT] = {

[MARK_SUBJECT_BOUNCE] = PHRASES(
	"undeliver", "non-deliver", "nondeliver", "not deliverable", "delivery fail", "delivery error",
	"delivery problem", "delivery status notification", "delivery notification", "delivery report",
	"delivery has failed", "delivery unsuccessful", "failed delivery", "mail delivery", "mail system error",
	"mail failure", "mail could not be delivered", "mail not delivered", "message delivery fail",
	"message could not be delivered", "message not delivered", "message undeliverable",
	"could not be delivered", "could not deliver", "couldn't deliver", "unable to deliver", "unable to send",
	"cannot be delivered", "can't be delivered", "returned mail", "returned message", "returned to sender",
	"returning message", "return to sender", "returned e-mail", "bounced", "failure notice",
	"failure notification", "failure delivery", "nicht zugestellt", "unzustellbar", "zustellung fehlgeschlagen",
	"nicht zustellbar", "non remis", "non délivr", "echec de la remise", "échec de la remise",
	"échec de remise", "échec d'envoi", "rapport de non-remise", "no se puede entregar", "no entregado",
	"no se ha podido entregar", "error en la entrega", "não entregue", "nao entregue", "falha na entrega",
	"não pôde ser entregue", "mensagem devolvida", "mancato recapito", "mancata consegna", "non recapitabile",
	"onbestelbaar", "niet bezorgd", "kan niet worden bezorgd", "niedostarczon", "nie można dostarczyć",
	"nie dostarczono", "недоставлен", "не доставлено", "не может быть доставлено", "невозможно доставить",
	"配信不能", "配信できません", "送信できません", "未配信", "エラーメール", "退信", "无法投递", "olevererbart", "kan inte levereras",
	"error sending", "transmission failure", "nachricht nicht", "address not found", "mail failed",
	"returning to sender", "user unknown", "rejected:", "message rejected", "notification d'état de la remise",
	"benachrichtigung zum", "notificación de estado de entrega", "ndn:"),

[MARK_SUBJECT_DELAY] = PHRASES(
	"delayed", "(delay)", "warning: could not send", "warning: message", "delivery delay", "delay notification",
	"still trying", "verzögert", "vertraagd", "retardé", "retrasado", "atrasada", "mail queue warning",
	"not yet been delivered", "not yet delivered", "still being retried"),

[MARK_SUBJECT_AUTO_REPLY] = PHRASES(
	"out of office", "out of the office", "out-of-office", "automatic reply", "automatic response",
	"auto reply", "auto-reply", "autoreply", "auto response", "auto-response", "autoresponse", "autoresponder",
	" auto: ", "auto respond", "auto-respond", "away from my mail", "away from the office", "on vacation",
	"vacation reply", "vacation message", "on holiday", "on leave", "maternity leave", "abwesenheit",
	"abwesend", "automatische antwort", "nicht im büro", "eingangsbestätigung", "réponse automatique",
	"reponse automatique", "absence du bureau", "absent du bureau", "respuesta automática",
	"respuesta automatica", "fuera de la oficina", "fuera de oficina", "resposta automática",
	"resposta automatica", "fora do escritório", "ausência temporária", "risposta automatica", "fuori ufficio",
	"assenza dall'ufficio", "automatisch antwoord", "afwezig", "automatische afwezigheid",
	"automatyczna odpowiedź", "autoodpowiedź", "nieobecność", "автоответ", "автоматический ответ", "自動応答",
	"自動返信", "不在", "自动回复", "自動回覆", "autosvar", "automatiskt svar", "automatisk svar", "automaattinen vastaus",
	"poissa", "automatická odpověď", "otomatik yanıt", "frånvaro", "fravær", "automatinis",
	"automatiska atbilde", "prombūtn", "automaatvastus", "atvalin", "atvaļin", "[request received]",
	"your request has been received", "we have received your", "confirm your message",
	"please confirm your email", "confirm your email to", "message awaiting", "your message awaits",
	"challenge", "[ticket#", "[auto", "thank you for contacting", "annual leave", "parental leave", "out till",
	"im urlaub", "urlaub:", "en congé", "en vacances", "absence:", "vacaciones", "in ferie", "vakantie",
	"urlop", "в отпуске", "отпуск:", "poissaolo", "automatikus válasz", "automatická odpoveď",
	"răspuns automat", "αυτόματη απάντηση", "자동 회신", "부재중", "автоматична відповідь", "frånvarande",
	"fraværende", "ausente", "ausencia", "i'm away", "i am away", "away until", "zástup",
	"thank you for your enquiry", "thank you for your inquiry", "your request", "support ticket", "case #",
	"ticket #", "thank you for your email", "thank you for your message", "delivery pending: please confirm"),

[MARK_SUBJECT_COMPLAINT] = PHRASES(
	"complaint about message from", "abuse report", "email feedback report", "spam report"),

[MARK_SUBJECT_RECEIPT] = PHRASES(
	"successful mail delivery report", "delivery status notification (success)",
	"delivery status notification (relay)", "delivery status notification (expanded)", " read: ", " gelesen: ",
	" lu : ", " leído: ", " lida: ", " letto: ", " gelezen: ", "return receipt (displayed)", "read receipt",
	"relayed: ", "message delivered", " delivered: ", "not read: ", "ungelesen: "),

[MARK_FROM_DAEMON] = PHRASES(
	"mailer-daemon", "mailerdaemon", "mailer_daemon", "mail-daemon", "mail daemon", "mail_daemon", "postmaster",
	"post_master", "mail delivery", "mail-delivery", "mail_delivery", "delivery subsystem", "delivery system",
	"mdaemon", "mail administrator", "mail system", "microsoft exchange", "microsoftexchange", "mail router",
	"mail-router", "exchange administrator", "mmdf", " daemon ", "system administrator", "systemadministrator",
	"emssrv", "mailmaster", "mail server"),

[MARK_FROM_MACHINE] = PHRASES(
	"bounce", "symantec", "admin", "ezmlm", "virus", "inet", "gateway", "smtp", "mailscan", "mailsweeper",
	"domino", "no-reply", "noreply", "interscan", "mailgate", "root ", "autoreply", "notification", " mta",
	"messagelabs", "daemon", "deliverystatus", "server", "support", "system"),

[MARK_TEXT_BOUNCE] = PHRASES(
	"this is the qmail-send program", "this message was created automatically by mail delivery software",
	"this message was created automatically by the mail system",
	"this message was created automatically by the smtp relay", "message was created automatically by",
	"a message that you sent could not be delivered", "a message that you sent was rejected",
	"could not be delivered to one or more", "could not be delivered to all of its recipients",
	"----- the following addresses had", "the following addresses had", "the following address(es) failed",
	"transcript of session follows", "this is the postfix program", "this is the mail system at host",
	"this is the mailer-daemon", "this is an automatically generated delivery status notification",
	"delivery to the following recipient", "delivery to the following recipients failed",
	"delivery has failed to these recipients", "did not reach the following recipient",
	"your message did not reach", "your message wasn't delivered", "your message could not be delivered",
	"your message couldn't be delivered", "your message was not delivered", "your mail was not delivered",
	"your message cannot be delivered", "your email message could not be delivered",
	"your message has not been delivered", "could not deliver your", "couldn't deliver",
	"message could not be delivered", "message couldn't be delivered", "message cannot be delivered",
	"message not delivered", "mail could not be delivered", "mail couldn't be delivered",
	"mail can't be delivered", "unable to deliver your", "unable to deliver message", "unable to deliver the",
	"unable to deliver mail", "unable to deliver to", "was unable to deliver", "wasn't able to deliver",
	"was not able to deliver", "we were unable to deliver", "undeliverable message", "undeliverable to",
	"undelivered message", "could not be delivered to", "couldn't be delivered to", "failed to deliver",
	"delivery failed", "delivery failure", "delivery error", "delivery errors", "failed addresses follow",
	"failed recipients", "failed recipient", "recipients of this message", "can not be delivered",
	"could not send message", "could not be sent", "message has been returned", "mail has been returned",
	"message is being returned", "returned to you", "returned to sender", "is being returned to you",
	"bounce message", "return message to sender", "error occurred while attempting to deliver",
	"an error has occurred while attempting to deliver", "does not like recipient", "remote host said",
	"technical details of permanent failure", "technical details of temporary failure",
	"permanent fatal errors", "fatal errors", "message delivery failed", "message has not been delivered",
	"message was not delivered", "mail was not delivered", "undelivered mail returned",
	"the following recipients", "following recipient(s)", "error detail", "invalid final delivery userid",
	"mail returned", "konnte nicht zugestellt werden", "konnte nicht ausgeliefert werden", "nicht zustellen",
	"kann nicht zugestellt werden", "n'a pas pu être", "n'a pas pu etre", "n'a pu être",
	"impossible de remettre", "no pudo ser entregado", "no se ha podido entregar", "no se puede entregar",
	"no se pudo entregar", "não pôde ser entregue", "nao pode ser", "não foi possível entregar",
	"non è stato possibile", "impossibile recapitare", "impossibile consegnare", "kan niet worden bezorgd",
	"niet worden afgeleverd", "kon niet worden", "nie można dostarczyć", "nie został",
	"не может быть доставлено", "не было доставлено", "не удалось доставить", "送信できませんでした", "配信できませんでした",
	"配信に失敗", "送信に失敗", "届けることができませんでした", "エラーが発生", "could not be delivered for the following reason",
	"has been returned because", "requested action not taken", "error message below",
	"notificationtype\\\":\\\"bounce"),

[MARK_TEXT_FAILURE] = PHRASES(
	"failed", "undeliver", "not delivered", "not be delivered", "user unknown", "unknown user", "delivery",
	"returned", "rejected", "bounce", "could not", "couldn't", "unable to", "error", "mailbox",
	"does not exist", "recipient"),

[MARK_TEXT_DELAY] = PHRASES(
	"has not yet been delivered", "not yet been delivered", "this is a warning message only",
	"warning message only", "you do not need to resend", "you don't need to resend",
	"not need to resend your message", "has been delayed", "delivery is delayed", "is delayed", "delayed mail",
	"message is delayed", "message delayed", "will keep trying", "will be retried", "will continue to try",
	"will retry", "delivery attempts will continue", "attempts will continue", "still trying to deliver",
	"still awaiting delivery", "no action is required", "gmail will retry", "wird weiter versucht",
	"delivery to the following recipients has been delayed", "this is only a warning",
	"temporary failure. the message will", "will try again", "not been delivered yet"),

[MARK_TEXT_AUTO_REPLY] = PHRASES(
	"i am out of the office", "i am out of office", "i'm out of office", "i will be out of office",
	"i am currently out of office", "i'm out of the office", "i will be out of the office",
	"i am currently out of", "i'm currently out of", "out of office until", "this is an automated response",
	"this is an automatic response", "this is an automatic reply", "this is an automated reply",
	"this is an auto-reply", "this is an autoreply", "this is an auto-response", "i am on vacation",
	"i'm on vacation", "i am on annual leave", "i am away", "currently on vacation", "currently on leave",
	"currently away", "ich bin nicht im büro", "ich bin derzeit nicht", "ich bin bis", "ich bin ab",
	"je suis absent", "je suis actuellement", "estoy fuera de la oficina", "estaré fuera", "estou fora",
	"sono fuori ufficio", "sono assente", "ik ben afwezig", "no longer works here",
	"is no longer with the company", "no longer works for", "to have your message delivered",
	"to deliver your message", "click the link below to", "click on the link below to",
	"verify that you are a real", "prove you are human", "approved senders", "approved sender",
	"anti-spam system", "requires verification", "tmda", "spamarrest", "boxbe", "bluebottle",
	"you are not on my list", "reply to this message to confirm", "reply to this email to confirm"),

[MARK_TEXT_COMPLAINT] = PHRASES(
	"this is an email abuse report", "\"notificationtype\":\"complaint\"",
	"\"notificationtype\" : \"complaint\"", "\"notificationtype\": \"complaint\"",
	"notificationtype\\\":\\\"complaint", "complaintfeedbacktype", "this is an abuse report for an email"),
};
/* clang-format on */
