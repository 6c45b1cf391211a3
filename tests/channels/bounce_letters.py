"""Bounces in mail servers' own words, as they come without a delivery report: subject, sender and text."""

from __future__ import annotations

from typing import NamedTuple

TO = "hanako@mail.example"


class Letter(NamedTuple):
    """A server's letter. ``head``: further headers."""

    sender: str
    subject: str
    text: str
    head: str = ""

    def raw(self, *, below: str = "") -> bytes:
        return (
            f"From: {self.sender}\nTo: reply@kaede.example\nSubject: {self.subject}\nMessage-ID: <b@mx.example>\n"
            f"Content-Type: text/plain; charset=utf-8\n{self.head}\n{self.text}\n{below}"
        ).encode()


_EXIM = (
    "This message was created automatically by mail delivery "
    "software.\n\nA message that you sent could not be delivered"
)
HARD = {
    "qmail": Letter(
        "MAILER-DAEMON@mx.example",
        "failure notice",
        "Hi. This is the qmail-send program at mx.example.\nI'm afraid I wasn't able to deliver your message to the "
        f"following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n<{TO}>:\n"
        "Sorry, no mailbox here by that name. (#5.1.1)",
    ),
    "exim": Letter(
        "Mail Delivery System <Mailer-Daemon@mx.example>",
        "Mail delivery failed: returning message to sender",
        f"{_EXIM} to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n"
        f"  {TO}\n    host mx.mail.example [192.0.2.1]\n    SMTP error from "
        f"remote mail server after RCPT TO:<{TO}>:\n"
        "    550 5.1.1 User unknown",
        f"X-Failed-Recipients: {TO}\n",
    ),
    "exim unrouteable": Letter(
        "Mail Delivery System <Mailer-Daemon@mx.example>",
        "Mail delivery failed: returning message to sender",
        f"{_EXIM}.\nThe following address failed:\n\n  {TO}\n    Unrouteable address",
    ),
    "postfix": Letter(
        "MAILER-DAEMON@mx.example (Mail Delivery System)",
        "Undelivered Mail Returned to Sender",
        "This is the mail system at host mx.example.\n\nI'm sorry to have to "
        "inform you that your message could not\nbe "
        "delivered to one or more recipients. It's attached below.\n\nFor further assistance, please send mail to "
        f"postmaster.\n\n<{TO}>: host mx.mail.example[192.0.2.1] said: 550 5.1.1 <{TO}>: Recipient address\n"
        "    rejected: User unknown in virtual mailbox table (in reply to RCPT TO command)",
    ),
    "postfix no domain": Letter(
        "MAILER-DAEMON@mx.example (Mail Delivery System)",
        "Undelivered Mail Returned to Sender",
        f"The mail could not be delivered.\n\n<{TO}>: Host or domain name not found. Name service error for\n"
        "    name=mail.example type=A: Host not found",
    ),
    "sendmail": Letter(
        "Mail Delivery Subsystem <MAILER-DAEMON@mx.example>",
        "Returned mail: see transcript for details",
        "The original message was received at Tue, 24 Nov 2026 10:00:00 +0900\nfrom localhost\n\n"
        f"   ----- The following addresses had permanent fatal errors "
        f"-----\n<{TO}>\n    (reason: 550 5.1.1 <{TO}>... User "
        f"unknown)\n\n   ----- Transcript of session follows -----\n... while talking to mx.mail.example.:\n"
        f">>> DATA\n<<< 550 5.1.1 <{TO}>... User unknown\n550 5.1.1 <{TO}>... User unknown",
    ),
    "gmail": Letter(
        "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
        "Delivery Status Notification (Failure)",
        f"** Address not found **\n\nYour message wasn't delivered to {TO} "
        "because the address couldn't be found, or is "
        "unable to receive mail.\n\nThe response from the remote server "
        "was:\n550 5.1.1 The email account that you tried "
        "to reach does not exist. Please try\n5.1.1 double-checking the recipient's email address for typos",
    ),
    "yahoo": Letter(
        "MAILER-DAEMON@yahoo.example",
        "Failure Notice",
        f"Sorry, we were unable to deliver your message to the following "
        f"address.\n\n<{TO}>:\n554: delivery error: dd This "
        "user doesn't have a mail.example account (hanako@mail.example) [0] - mta1.mail.example",
    ),
    "exchange": Letter(
        "System Administrator <postmaster@mx.example>",
        "Undeliverable: Your stay",
        "Your message did not reach some or all of the intended "
        "recipients.\n\n      Subject:\tYour stay\n      Sent:\t"
        f"24/11/2026 10:00\n\nThe following recipient(s) could not be reached:\n\n      {TO} on 24/11/2026 10:01\n"
        "            The e-mail account does not exist at the organization "
        "this message was sent to.\n            <mx.example #5.1.1>",
    ),
    "office 365": Letter(
        "Microsoft Outlook <postmaster@outlook.example>",
        "Undeliverable: Your stay",
        f"Delivery has failed to these recipients or "
        f"groups:\n\n{TO}<mailto:{TO}>\nThe email address you entered couldn't "
        "be found. Please check the recipient's email address and try to "
        "resend the message.\n\nRemote server returned "
        "'550 5.4.1 Recipient address rejected: Access denied. AS(201806281)'",
    ),
    "domino": Letter(
        "Postmaster@mx.example",
        "DELIVERY FAILURE: User hanako (hanako@mail.example) not listed in Domino Directory",
        f"Your message\n\n  Subject: Your stay\n\nwas not delivered to:\n\n  "
        f"{TO}\n\nbecause:\n\n  User hanako ({TO}) not "
        "listed in Domino Directory",
    ),
    "groupwise": Letter(
        "Mail Administrator <Postmaster@mx.example>",
        "Mail System Error - Returned Mail",
        f"This Message was undeliverable due to the following reason:\n\nThe user(s) account does not exist.\n\n{TO} "
        "(User unknown)",
    ),
    "ezweb": Letter(
        "Postmaster@ezweb.example",
        "Mail System Error - Returned Mail",
        f"The following recipients did not receive your message:\n\n    {TO}\n        Reason: The user is unknown",
    ),
    "docomo": Letter(
        "mail-daemon@docomo.example",
        "Undelivered Mail Returned to Sender",
        f"The mail was not delivered.\n\n<{TO}>: host mfsmax.docomo.example "
        f"said: 550 Unknown user {TO} (in reply to end "
        "of DATA command)",
    ),
    "japanese": Letter(
        "Mail Delivery System <mailer-daemon@mx.example>",
        "配信エラーのお知らせ",
        f"お送りいただいたメールは、次の宛先に配信できませんでした。\n\n{TO}\n\n理由：宛先のメールアドレスが存在しません。",
    ),
    "japanese unknown": Letter(
        "postmaster@mx.example",
        "メールが送信できませんでした",
        f"{TO} 宛のメールは、ユーザー不明のため届けられませんでした。",
    ),
    "german": Letter(
        "Mail Delivery System <mailer-daemon@mx.example>",
        "Unzustellbar: Ihr Aufenthalt",
        f"Ihre Nachricht konnte nicht zugestellt werden:\n\n{TO}\n    Empfänger "
        "unbekannt: Die Adresse existiert nicht.",
    ),
    "french": Letter(
        "postmaster@mx.example",
        "Non remis : Votre séjour",
        f"Échec de la remise à {TO} : l'adresse du destinataire n'existe pas.",
    ),
    "spanish": Letter(
        "postmaster@mx.example", "No se pudo entregar el mensaje", f"El usuario {TO} no existe en este servidor."
    ),
    "russian": Letter("mailer-daemon@mx.example", "Недоставленное сообщение", f"{TO}: такой адрес не существует."),
    "chinese": Letter("postmaster@mx.example", "系统退信", f"您的邮件无法投递到 {TO}。\n原因：收件人邮件地址不存在。"),
    "mail.ru": Letter(
        "mailer-daemon@mx.example",
        "Mail failure.",
        f"A message that you sent was not delivered to {TO}.\nReason: invalid mailbox. User not found",
    ),
    "no longer": Letter(
        "postmaster@mx.example",
        "Undeliverable mail",
        f"Your mail to {TO} was returned: this person is no longer with the company. The mailbox no longer exists.",
    ),
    "null mx": Letter(
        "MAILER-DAEMON@mx.example",
        "Undelivered Mail Returned to Sender",
        f"<{TO}>: Domain mail.example does not accept mail (nullMX)",
    ),
}
SOFT = {
    "full": Letter(
        "MAILER-DAEMON@mx.example",
        "Undelivered Mail Returned to Sender",
        f"<{TO}>: 552 5.2.2 Mailbox is full, quota exceeded",
    ),
    "full without code": Letter("MAILER-DAEMON@mx.example", "failure notice", f"<{TO}>:\nThe user's mailbox is full."),
    "full japanese": Letter(
        "postmaster@mx.example", "配信エラー", f"{TO}\nメールボックスの容量を超えているため配信できません。"
    ),
    "spam": Letter(
        "MAILER-DAEMON@mx.example",
        "Undelivered Mail Returned to Sender",
        f"<{TO}>: 550 5.7.1 Message rejected as spam by content filtering",
    ),
    "blocked, and 5.1.1": Letter(
        "MAILER-DAEMON@mx.example",
        "Undelivered Mail Returned to Sender",
        f"<{TO}>: 550 5.1.1 Service unavailable; client host [192.0.2.9] blocked using dnsbl.example",
    ),
    "greylisted": Letter(
        "MAILER-DAEMON@mx.example",
        "Delayed Mail (still being retried)",
        f"YOU DO NOT NEED TO RESEND YOUR MESSAGE.\n<{TO}>: 450 4.7.1 Greylisted, please try again later",
    ),
    "delayed, unknown": Letter(
        "MAILER-DAEMON@mx.example",
        "Warning: could not send message",
        f"<{TO}>: 450 4.1.1 User unknown, will retry for 5 days",
    ),
    "too large": Letter(
        "MAILER-DAEMON@mx.example", "Undeliverable", f"<{TO}>: 552 5.3.4 Message size exceeds fixed limit of 10 MB"
    ),
    "policy": Letter("postmaster@mx.example", "Undeliverable", f"{TO}: 550 5.7.1 rejected by policy"),
    "sender": Letter(
        "MAILER-DAEMON@mx.example",
        "Undelivered Mail Returned to Sender",
        f"<{TO}>: 550 Sender address rejected: Domain not found",
    ),
    "relay": Letter("MAILER-DAEMON@mx.example", "Undeliverable", f"<{TO}>: 554 5.7.1 Relay access denied"),
    "dmarc": Letter(
        "MAILER-DAEMON@mx.example", "Undeliverable", f"<{TO}>: 550 5.7.26 Unauthenticated email, DMARC failed"
    ),
    "timeout": Letter(
        "MAILER-DAEMON@mx.example", "Undeliverable", f"<{TO}>: 5.4.7 connection timed out, message expired"
    ),
    "disabled": Letter("MAILER-DAEMON@mx.example", "Undeliverable", f"<{TO}>: 550 5.2.1 The account is disabled"),
    "not accepting": Letter("MAILER-DAEMON@mx.example", "Undeliverable", f"{TO} is not accepting mail from you."),
    "loop": Letter("MAILER-DAEMON@mx.example", "Undeliverable", f"<{TO}>: 554 5.4.6 Too many hops"),
    "no reason": Letter(
        "MAILER-DAEMON@mx.example", "Delivery failed", f"Delivery to the following recipient failed: {TO}"
    ),
}
#: Mails of people that have something of a bounce.
OF_PEOPLE = {
    "a customer tells": Letter(
        "Hanako <hanako@mail.example>",
        "My old address",
        "My mail to taro@c.example was returned: user unknown. Have you a new one?",
    ),
    "a postmaster asks": Letter(
        "Postmaster <postmaster@c.example>", "Your invoice", "Please send us the invoice for November."
    ),
}
