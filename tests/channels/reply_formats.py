"""Replies as mail programs write them: the new text, and what the program adds below or around it."""

from __future__ import annotations

OLD = "The room is free.\n\nBest,\nHotel"
OLD_JA = "お部屋は空いております。\n\nホテル楓"


def marked(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


#: One line, or a few, that a program writes above the quote.
ATTRIBUTIONS = {
    "gmail en": "On Tue, Nov 24, 2026 at 10:00 AM Hotel Kaede <reply@kaede.example> wrote:",
    "gmail en wrapped": "On Tue, Nov 24, 2026 at 10:00 AM Hotel Kaede <\nreply@kaede.example> wrote:",
    "gmail en wrapped twice": (
        "On Tue, Nov 24, 2026 at 10:00 AM Hotel Kaede via Booking Desk\n<reply@kaede.example>\nwrote:"
    ),
    "apple en": "On 24 Nov 2026, at 10:00, Hotel Kaede <reply@kaede.example> wrote:",
    "thunderbird en": "On 24/11/2026 10:00, Hotel Kaede wrote:",
    "proton en": "On Tuesday, November 24th, 2026 at 10:00, Hotel Kaede <reply@kaede.example> wrote:",
    "zoho en": "---- On Tue, 24 Nov 2026 10:00:00 +0900 Hotel Kaede <reply@kaede.example> wrote ----",
    "android en": "---- Hotel Kaede wrote ----",
    "name first": "Hotel Kaede <reply@kaede.example> wrote on 24 Nov 2026 10:00:",
    "lotus en": "Hotel Kaede <reply@kaede.example> wrote on 11/24/2026 10:00:00 AM:",
    "de gmail": "Am Di., 24. Nov. 2026 um 10:00 Uhr schrieb Hotel Kaede <\nreply@kaede.example>:",
    "de apple": "Am 24.11.2026 um 10:00 schrieb Hotel Kaede <reply@kaede.example>:",
    "de thunderbird": "Am 24.11.2026 um 10:00 schrieb Hotel Kaede:",
    "fr gmail": "Le mar. 24 nov. 2026 à 10:00, Hotel Kaede <reply@kaede.example> a écrit :",
    "fr thunderbird": "Le 24/11/2026 à 10:00, Hotel Kaede a écrit\u00a0:",
    "es": "El mar, 24 nov 2026 a las 10:00, Hotel Kaede (<reply@kaede.example>) escribió:",
    "it": "Il giorno mar 24 nov 2026 alle ore 10:00 Hotel Kaede <reply@kaede.example> ha scritto:",
    "it apple": "Il 24/11/2026 10:00, Hotel Kaede ha scritto:",
    "pt": "Em ter., 24 de nov. de 2026 às 10:00, Hotel Kaede <reply@kaede.example> escreveu:",
    "pt apple": "No dia 24/11/2026, às 10:00, Hotel Kaede <reply@kaede.example> escreveu:",
    "nl": "Op di 24 nov. 2026 om 10:00 schreef Hotel Kaede <reply@kaede.example>:",
    "nl apple": "Op 24 nov. 2026, om 10:00 heeft Hotel Kaede <reply@kaede.example> het volgende geschreven:",
    "pl": "wt., 24 lis 2026 o 10:00 Hotel Kaede <reply@kaede.example> napisał(a):",
    "pl thunderbird": "W dniu 24.11.2026 o 10:00, Hotel Kaede pisze:",
    "sv": "Den tis 24 nov. 2026 kl 10:00 skrev Hotel Kaede <reply@kaede.example>:",
    "sv apple": "24 nov. 2026 kl. 10:00 skrev Hotel Kaede <reply@kaede.example>:",
    "da": "Den tirs. 24. nov. 2026 kl. 10.00 skrev Hotel Kaede <reply@kaede.example>:",
    "no": "tir. 24. nov. 2026 kl. 10:00 skrev Hotel Kaede <reply@kaede.example>:",
    "fi": "ti 24. marrask. 2026 klo 10.00 Hotel Kaede (reply@kaede.example) kirjoitti:",
    "cs": "út 24. 11. 2026 v 10:00 odesílatel Hotel Kaede <reply@kaede.example> napsal:",
    "sk": "ut 24. 11. 2026 o 10:00 Hotel Kaede <reply@kaede.example> napísal(a):",
    "hu": "Hotel Kaede <reply@kaede.example> ezt írta (időpont: 2026. nov. 24., K, 10:00):",
    "ru": "вт, 24 нояб. 2026 г. в 10:00, Hotel Kaede <reply@kaede.example>:",
    "ru mail.ru": "Вторник, 24 ноября 2026, 10:00 +03:00 от Hotel Kaede <reply@kaede.example>:",
    "ru outlook": "24.11.2026 10:00, Hotel Kaede пишет:",
    "uk": "вт, 24 лист. 2026 р. о 10:00 Hotel Kaede <reply@kaede.example> пише:",
    "tr": "Hotel Kaede <reply@kaede.example>, 24 Kas 2026 Sal, 10:00 tarihinde şunu yazdı:",
    "vi": "Vào Th 3, 24 thg 11, 2026 vào lúc 10:00 Hotel Kaede <reply@kaede.example> đã viết:",
    "id": "Pada tanggal Sel, 24 Nov 2026 pukul 10.00 Hotel Kaede <reply@kaede.example> menulis:",
    "zh gmail": "Hotel Kaede <reply@kaede.example> 于2026年11月24日周二 10:00写道：",
    "zh apple": "在 2026年11月24日，上午10:00，Hotel Kaede <reply@kaede.example> 写道：",
    "zh-tw": "Hotel Kaede <reply@kaede.example> 於 2026年11月24日 週二 上午10:00寫道：",
    "ko gmail": "2026년 11월 24일 (화) 오전 10:00, Hotel Kaede <reply@kaede.example>님이 작성:",
    "ko apple": "2026. 11. 24. 오전 10:00, Hotel Kaede <reply@kaede.example> 작성:",
    "ja gmail": "2026年11月24日(火) 10:00 ホテル楓 <reply@kaede.example>:",
    "ja gmail without colon": "2026年11月24日(火) 10:00 ホテル楓 <reply@kaede.example>",
    "ja gmail weekday word": "2026年11月24日火曜日 10:00 ホテル楓 <reply@kaede.example>:",
    "ja apple": "2026/11/24 10:00、ホテル楓 <reply@kaede.example>のメール:",
    "ja apple full-width colon": "2026/11/24 10:00、ホテル楓 <reply@kaede.example>のメール：",
    "ja apple message": "2026/11/24 10:00、ホテル楓 <reply@kaede.example>のメッセージ:",
    "ja thunderbird": "On 2026/11/24 10:00, ホテル楓 wrote:",
    "ja thunderbird new": "ホテル楓 さんは書きました (2026/11/24 10:00):",
    "ja yahoo": "----- ホテル楓 <reply@kaede.example> のメッセージ -----\n2026/11/24 10:00",
    "ja docomo": "2026年11月24日 10:00 ホテル楓 reply@kaede.example wrote:",
}

_OUTLOOK = {
    "en": (
        "From: Hotel Kaede <reply@kaede.example>",
        "Sent: Tuesday, November 24, 2026 10:00 AM",
        "To: me@b.example",
        "Subject: RE: room",
    ),
    "de": (
        "Von: Hotel Kaede <reply@kaede.example>",
        "Gesendet: Dienstag, 24. November 2026 10:00",
        "An: me@b.example",
        "Betreff: AW: Zimmer",
    ),
    "fr": (
        "De : Hotel Kaede <reply@kaede.example>",
        "Envoyé : mardi 24 novembre 2026 10:00",
        "À : me@b.example",
        "Objet : RE: chambre",
    ),
    "es": (
        "De: Hotel Kaede <reply@kaede.example>",
        "Enviado: martes, 24 de noviembre de 2026 10:00",
        "Para: me@b.example",
        "Asunto: RE: cuarto",
    ),
    "it": (
        "Da: Hotel Kaede <reply@kaede.example>",
        "Inviato: martedì 24 novembre 2026 10:00",
        "A: me@b.example",
        "Oggetto: R: camera",
    ),
    "pt": (
        "De: Hotel Kaede <reply@kaede.example>",
        "Enviado: 24 de novembro de 2026 10:00",
        "Para: me@b.example",
        "Assunto: RE: quarto",
    ),
    "nl": (
        "Van: Hotel Kaede <reply@kaede.example>",
        "Verzonden: dinsdag 24 november 2026 10:00",
        "Aan: me@b.example",
        "Onderwerp: RE: kamer",
    ),
    "da": (
        "Fra: Hotel Kaede <reply@kaede.example>",
        "Sendt: 24. november 2026 10:00",
        "Til: me@b.example",
        "Emne: SV: værelse",
    ),
    "sv": (
        "Från: Hotel Kaede <reply@kaede.example>",
        "Skickat: den 24 november 2026 10:00",
        "Till: me@b.example",
        "Ämne: SV: rum",
    ),
    "fi": (
        "Lähettäjä: Hotel Kaede <reply@kaede.example>",
        "Lähetetty: 24. marraskuuta 2026 10:00",
        "Vastaanottaja: me@b.example",
        "Aihe: VS: huone",
    ),
    "pl": (
        "Od: Hotel Kaede <reply@kaede.example>",
        "Wysłano: wtorek, 24 listopada 2026 10:00",
        "Do: me@b.example",
        "Temat: ODP: pokój",
    ),
    "cs": (
        "Od: Hotel Kaede <reply@kaede.example>",
        "Odesláno: úterý 24. listopadu 2026 10:00",
        "Komu: me@b.example",
        "Předmět: RE: pokoj",
    ),
    "ru": (
        "От: Hotel Kaede <reply@kaede.example>",
        "Отправлено: 24 ноября 2026 г. 10:00",
        "Кому: me@b.example",
        "Тема: RE: номер",
    ),
    "tr": (
        "Kimden: Hotel Kaede <reply@kaede.example>",
        "Gönderildi: 24 Kasım 2026 Salı 10:00",
        "Kime: me@b.example",
        "Konu: YNT: oda",
    ),
    "zh": (
        "发件人: Hotel Kaede <reply@kaede.example>",
        "发送时间: 2026年11月24日 10:00",
        "收件人: me@b.example",
        "主题: 回复: 房间",
    ),
    "zh-tw": (
        "寄件者: Hotel Kaede <reply@kaede.example>",
        "寄件日期: 2026年11月24日 10:00",
        "收件者: me@b.example",
        "主旨: 回覆: 房間",
    ),
    "ko": (
        "보낸 사람: Hotel Kaede <reply@kaede.example>",
        "보낸 날짜: 2026년 11월 24일 10:00",
        "받는 사람: me@b.example",
        "제목: RE: 객실",
    ),
    "ja": (
        "差出人: ホテル楓 <reply@kaede.example>",
        "送信日時: 2026年11月24日 10:00",
        "宛先: me@b.example",
        "件名: RE: お部屋",
    ),
    "ja full-width": (
        "差出人： ホテル楓 <reply@kaede.example>",
        "送信日時： 2026年11月24日 10:00",
        "宛先： me@b.example",
        "件名： RE: お部屋",
    ),
    "ja sender": (
        "送信元: ホテル楓 <reply@kaede.example>",
        "日時: 2026年11月24日 10:00",
        "送信先: me@b.example",
        "件名: Re: お部屋",
    ),
    "ja spaced": (
        "差出人 : ホテル楓 <reply@kaede.example>",
        "送信日時 : 2026年11月24日 10:00",
        "宛先 : me@b.example",
        "件名 : RE: お部屋",
    ),
    "ja brackets": (
        "【差出人】：ホテル楓 <reply@kaede.example>",
        "【送信日時】：2026年11月24日 10:00",
        "【宛先】：me@b.example",
        "【件名】：RE: お部屋",
    ),
}
HEADERS = {f"outlook {language}": "\n".join(lines) for language, lines in _OUTLOOK.items()} | {
    "outlook bold": (
        "*From:* Hotel Kaede <reply@kaede.example>\n*Sent:* Tuesday, November 24, 2026 10:00 AM\n*To:* me@b.example"
    ),
    "outlook mailto": (
        "From: Hotel Kaede [mailto:reply@kaede.example]\nSent: 24 November 2026 10:00\nTo: me\nSubject: room"
    ),
    "outlook below a rule": (
        "________________________________\nFrom: Hotel Kaede <reply@kaede.example>\n"
        "Sent: 24 November 2026 10:00\nTo: me"
    ),
    "outlook app": (
        "________________________________________\nVan: Hotel Kaede <reply@kaede.example>\n"
        "Verzonden: 24 november 2026 10:00"
    ),
    "dashes": "-----Original Message-----\nFrom: Hotel Kaede\nSent: 24 November 2026 10:00\n",
    "de dashes": ("-----Ursprüngliche Nachricht-----\nVon: Hotel Kaede <reply@kaede.example>\nGesendet: 24.11.2026"),
    "de words": "-------- Original-Nachricht --------\nDatum: 24.11.2026\nVon: Hotel Kaede",
    "fr dashes": "-----Message d'origine-----\nDe : Hotel Kaede\nEnvoyé : mardi 24 novembre 2026 10:00",
    "es dashes": "-----Mensaje original-----\nDe: Hotel Kaede\nEnviado: 24/11/2026",
    "it dashes": "-----Messaggio originale-----\nDa: Hotel Kaede",
    "pt dashes": "-----Mensagem original-----\nDe: Hotel Kaede",
    "nl dashes": "-----Oorspronkelijk bericht-----\nVan: Hotel Kaede",
    "da dashes": "-----Oprindelig meddelelse-----\nFra: Hotel Kaede",
    "sv dashes": "-----Ursprungligt meddelande-----\nFrån: Hotel Kaede",
    "pl dashes": "-----Wiadomość oryginalna-----\nOd: Hotel Kaede",
    "fi dashes": "-----Alkuperäinen viesti-----\nLähettäjä: Hotel Kaede",
    "zh dashes": "------------------ 原始邮件 ------------------\n发件人: Hotel Kaede <reply@kaede.example>",
    "ja dashes": "-----元のメッセージ-----\n差出人: ホテル楓",
    "ja original": "-----Original Message-----\n差出人： ホテル楓\n送信日時： 2026/11/24 10:00",
    "ja quoted from": "--------- 引用元メッセージ ---------\n差出人：ホテル楓 <reply@kaede.example>",
    "ja forward": (
        "---------- 転送メッセージ ----------\n差出人: ホテル楓 <reply@kaede.example>\nDate: 2026年11月24日(火) 10:00"
    ),
    "ja forward short": "-----転送-----\n差出人：ホテル楓",
    "ja forward gmail": (
        "---------- Forwarded message ---------\nFrom: ホテル楓 <reply@kaede.example>\nDate: 2026年11月24日(火) 10:00"
    ),
    "ja forward apple": "以下、転送メッセージ:\n\n差出人: ホテル楓 <reply@kaede.example>\n件名: お部屋",
    "ja blank lines": (
        "差出人: ホテル楓 <reply@kaede.example>\n\n送信日時: 2026年11月24日 10:00\n\n宛先: me@b.example\n\n件名: お部屋"
    ),
    "ja date first": "日時：2026年11月24日 10:00\n差出人：ホテル楓 <reply@kaede.example>\n件名：お部屋",
    "apple forward": (
        "Begin forwarded message:\n\nFrom: Hotel Kaede <reply@kaede.example>\nSubject: room\nDate: 24 November 2026"
    ),
}
#: What devices and programs put below a text.
DEVICES = (
    "Sent from my iPhone",
    "Sent from my iPad",
    "Sent from my Samsung Galaxy smartphone.",
    "Sent from my Verizon Wireless BlackBerry",
    "Sent from Mail for Windows 10",
    "Sent from Outlook for iOS",
    "Sent from Yahoo Mail on Android",
    "Get Outlook for iOS",
    "Get Outlook for Android <https://aka.ms/ghei36>",
    "Von meinem iPhone gesendet",
    "Gesendet von Outlook für iOS",
    "Envoyé de mon iPhone",
    "Télécharger Outlook pour iOS",
    "Enviado desde mi iPhone",
    "Enviado do meu iPhone",
    "Inviato da iPhone",
    "Verstuurd vanaf mijn iPhone",
    "Skickat från min iPhone",
    "Sendt fra min iPhone",
    "Lähetetty iPhonesta",
    "Wysłane z iPhone'a",
    "Отправлено с iPhone",
    "发自我的iPhone",
    "나의 iPhone에서 보냄",
    "iPhoneから送信",
    "iPadから送信",
    "Outlook for iOS を入手",
    "iOS 版 Outlook を入手",
    "Android 版 Outlook を入手",
    "Yahoo!メール アプリから送信",
    "Galaxyから送信",
    "AQUOSから送信",
    "Windows 版のメールから送信",
)
SIGNATURES = (
    "-- \nHanako Sato",
    "--\nHanako",
    "__\nHanako",
    "-Hanako Sato",
    "Best regards,\nHanako Sato",
    "Kind regards\nHanako",
    "Mit freundlichen Grüßen\nHanako Sato",
    "Cordialement,\nHanako",
    "Med venlig hilsen\nHanako Sato",
    (
        "_______________________________________________\nguests mailing list\n"
        "guests@lists.example\nhttps://lists.example/guests"
    ),
)
#: Texts that only look like a reply with a quote.
WHOLE = (
    "On Monday I wrote: please call.\nThanks",
    "On the other hand, we could meet on Friday.\nWhat do you think?",
    "From: the airport\nwe need a car",
    "Date: Friday\nPlace: lobby",
    "日時：11月24日\n場所：ロビー",
    "件名：お部屋について\nお返事ください。",
    "Please see https://kaede.example/he-wrote:\nIt is nice.",
    "Sent from my desk, which is easier than my telephone.",
    "Sent from my heart\nSee you",
    "Here is the list:\n- towels\n- soap",
    "He said that he wrote:\nnothing at all",
    "With regards to the room, I agree.\nSee you.",
    "Thanks >_< see you",
    "Visit us now\n>>> http://www.kaede.example <<<\nby the link above",
    "以下の日程でお願いします。\n・11月24日 10:00\n・11月25日 11:00",
)
