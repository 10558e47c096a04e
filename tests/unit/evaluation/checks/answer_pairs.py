"""Expected answers and given ones, right and wrong, that the default thresholds were chosen on."""

from __future__ import annotations

from typing import Final, NamedTuple


class Pair(NamedTuple):
    """An expected and a given answer, and whether people would call it right."""

    expected: str
    given: str
    right: bool


PAIRS: Final = (
    Pair("Support is open from 9 to 18 on weekdays.", "Support is open 9 to 18 on weekdays.", True),
    Pair("Support is open from 9 to 18 on weekdays.", "We're available weekdays from 9 till 18.", True),
    Pair("You can reset your password on the account page.", "Reset your password on your account page.", True),
    Pair(
        "You can reset your password on the account page.",
        "Go to the account page, there you can change your password.",
        True,
    ),
    Pair("Type /verify in the #welcome channel.", "In the #welcome channel, type /verify.", True),
    Pair(
        "Type /verify in the #welcome channel.",
        "Just type /verify in #welcome and a bot will give you the role.",
        True,
    ),
    Pair("The tournament starts on Friday at 19:00 UTC.", "The tournament begins on Friday at 19:00 UTC.", True),
    Pair("The tournament starts on Friday at 19:00 UTC.", "It starts Friday, 19:00 UTC.", True),
    Pair("Refunds take five to seven working days.", "A refund takes 5-7 business days.", True),
    Pair("Refunds take five to seven working days.", "Refunds take five to seven workdays.", True),
    Pair("Our server is hosted in Frankfurt.", "The server is located in Frankfurt, Germany.", True),
    Pair("The Eiffel Tower is in Paris.", "The Eiffel tower stands in Paris", True),
    Pair("No, the free plan does not include backups.", "No. Backups are not part of the free plan.", True),
    Pair("No, the free plan does not include backups.", "No, the free plan doesn't include backups", True),
    Pair("Ask a moderator to unmute you.", "Please ask one of the moderators to unmute you.", True),
    Pair("Support is open from 9 to 18 on weekdays.", "Support is open from 10 to 22 on weekends.", False),
    Pair("Support is open from 9 to 18 on weekdays.", "You can contact support by e-mail.", False),
    Pair(
        "You can reset your password on the account page.", "You can delete your account on the settings page.", False
    ),
    Pair("You can reset your password on the account page.", "Passwords must have at least eight characters.", False),
    Pair("Type /verify in the #welcome channel.", "Read the rules in the #rules channel.", False),
    Pair("Type /verify in the #welcome channel.", "Type /help to see all commands.", False),
    Pair("The tournament starts on Friday at 19:00 UTC.", "The tournament is for teams of five.", False),
    Pair("The tournament starts on Friday at 19:00 UTC.", "The next update comes on Tuesday.", False),
    Pair("Refunds take five to seven working days.", "Refunds are possible within 30 days of purchase.", False),
    Pair("Refunds take five to seven working days.", "Shipping takes two weeks.", False),
    Pair("Our server is hosted in Frankfurt.", "Our server is called Bob's Den.", False),
    Pair("The Eiffel Tower is in Paris.", "The Colosseum is in Rome.", False),
    Pair("No, the free plan does not include backups.", "The free plan includes two gigabytes of storage.", False),
    Pair("No, the free plan does not include backups.", "Yes, backups are included in every plan.", False),
    Pair("Ask a moderator to unmute you.", "Moderators are chosen once a year.", False),
    Pair("Поддержка работает с 9 до 18 по будням.", "Поддержка работает по будням с 9 до 18.", True),
    Pair("Поддержка работает с 9 до 18 по будням.", "Мы отвечаем по будним дням, с 9 до 18 часов.", True),
    Pair("Пароль можно сбросить на странице аккаунта.", "Сбросить пароль можно на странице аккаунта.", True),
    Pair(
        "Пароль можно сбросить на странице аккаунта.", "Зайдите на страницу аккаунта, там можно сменить пароль.", True
    ),
    Pair("Напишите /verify в канале #welcome.", "Напиши /verify в канал #welcome", True),
    Pair(
        "Турнир начнётся в пятницу в 19:00 по Москве.",
        "Турнир начинается в пятницу в 19:00 по московскому времени.",
        True,
    ),
    Pair("Турнир начнётся в пятницу в 19:00 по Москве.", "Начало в пятницу, 19:00 МСК.", True),
    Pair("Возврат денег занимает от пяти до семи рабочих дней.", "Деньги вернутся за 5–7 рабочих дней.", True),
    Pair(
        "Возврат денег занимает от пяти до семи рабочих дней.", "Возврат денег занимает пять-семь рабочих дней", True
    ),
    Pair("Наш сервер находится во Франкфурте.", "Сервер расположен во Франкфурте.", True),
    Pair(
        "Нет, в бесплатный тариф резервные копии не входят.",
        "Нет, резервные копии не входят в бесплатный тариф.",
        True,
    ),
    Pair("Попросите модератора снять мут.", "Попросите любого модератора, он снимет мут.", True),
    Pair("Поддержка работает с 9 до 18 по будням.", "Поддержка отвечает только по почте.", False),
    Pair("Поддержка работает с 9 до 18 по будням.", "Магазин работает с 10 до 22 по выходным.", False),
    Pair("Пароль можно сбросить на странице аккаунта.", "Аккаунт можно удалить на странице настроек.", False),
    Pair("Пароль можно сбросить на странице аккаунта.", "Пароль должен быть не короче восьми знаков.", False),
    Pair("Напишите /verify в канале #welcome.", "Прочитайте правила в канале #rules.", False),
    Pair("Турнир начнётся в пятницу в 19:00 по Москве.", "В турнире участвуют команды по пять человек.", False),
    Pair("Турнир начнётся в пятницу в 19:00 по Москве.", "Обновление выйдет во вторник.", False),
    Pair(
        "Возврат денег занимает от пяти до семи рабочих дней.",
        "Вернуть деньги можно в течение 30 дней после покупки.",
        False,
    ),
    Pair("Возврат денег занимает от пяти до семи рабочих дней.", "Доставка занимает две недели.", False),
    Pair("Наш сервер находится во Франкфурте.", "Наш сервер называется «Логово».", False),
    Pair("Нет, в бесплатный тариф резервные копии не входят.", "Да, резервные копии входят в любой тариф.", False),
    Pair("Попросите модератора снять мут.", "Модераторов выбирают раз в год.", False),
    Pair("The server is in Frankfurt.", "Сервер находится во Франкфурте.", True),
    Pair("Tickets cost ten euros.", "Билеты стоят десять евро.", True),
    Pair("The server is in Frankfurt.", "Турнир начнётся в пятницу.", False),
    Pair("Paris", "The capital of France is Paris.", True),
    Pair("Paris", "London", False),
    Pair("Friday", "on friday", True),
    Pair("Friday", "Saturday", False),
    Pair("mitochondria", "mitochondrion", True),
    Pair("Kubernetes", "Kubernets", True),
    Pair("Canberra", "Sydney", False),
)
