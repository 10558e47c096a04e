"""What single words are worth before a dataset has said anything. English and Russian; data alone.

A dataset of one example cannot tell that "server" is said in every second question and "password" in few. These
lists stand in for the large corpus that would: words without meaning of their own, words that nearly every
question to a support team could hold, words that mean about the same, and words that mean the opposite.

Words are written as people write them; `trainer.matching` stems them.
"""

from __future__ import annotations

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


STOP_WORDS: Final = _words(
    """
    a an the this that these those it its i im ive id ill me my mine myself we us our ours you your yours u ur he him
    his she her hers they them their theirs one ones who whom whose which what whats when where wheres why how hows
    am is are was were be been being isnt arent wasnt werent do does did done doing dont doesnt didnt have has had
    having havent hasnt can could cant cannot couldnt will would wont wouldnt shall should shouldnt may might must
    to of in on at by for from with about into onto over under through between after before during without within
    and or but if so then than because as while though not no yes nor only just also too very really quite still
    there here theres some any every each all both either neither such same other another else again ever never
    please pls plz thanks thank thx hi hello hey ok okay well much many more most lot lots bit kind sort
    something anything someone somebody anyone anybody everything nothing
    let lets tell show explain say said want wants wanted wanna need needs needed like gonna got gotta know possible
    able way ways possibly exactly actually currently
    а и но или что чтобы как где когда куда откуда почему зачем кто чей чья чье какой какая какое какие какого каких
    каком какую сколько это этот эта эти этого этой этом эту тот та те того той том я мне меня мной мой моя мое мои
    моего моей моем мою моих ты тебя тебе твой твоя вы вас вам ваш ваша ваше ваши он она оно они его ее их ему ей им
    мы нас нам наш наша наше наши свой своя свое свои своего своей своем свою себя себе сам сама
    в во на с со к ко о об обо от из за по под над до для без при про через между у
    не ни нет да ли же бы ведь вот тут там здесь еще уже только так такой такая такое такие тоже также если то
    быть был была было были есть будет буду могу можно может можете можем нужно надо нужен нужна хочу хочет хотел
    хотела хотелось делать сделать пожалуйста плиз спасибо привет здравствуйте подскажите скажите расскажи очень
    просто вообще что-то кто-то какой-то
    """
)
"""Words left out of comparison unless a text has no others."""

GENERIC_WORDS: Final = _words(
    """
    account accounts server servers game games discord bot bots app application website site channel channels user
    users player players play playing get getting give make making use using used work working works go going come
    find see look take put set new old good best better bad next last first time times day today now long date type
    help problem problems issue issues question questions thing things people person place link page start
    started change add create open turn off up down out back name list information info number free check buy mean
    many few big small right left part end support try tried keep keeps call send happen happens online available
    become became policy request team details
    аккаунт аккаунта учетка сервер сервера игра игры игре игру дискорд бот бота канал канала пользователь игрок игрока
    играть получить найти посмотреть использовать работает работать новый новая новое старый хороший лучший
    следующий следующая первый последний время день сегодня сейчас долго помощь помочь проблема проблемы вопрос
    вещь человек люди место ссылка страница начать начинается создать открыть добавить изменить поменять купить имя
    список информация номер число бесплатно проверить правильно высокий большой маленький приложение сайт
    """
)
"""Words that questions on different things share: alone they prove nothing."""

RELATED_WORDS: Final = tuple(
    _words(group)
    for group in (
        "forgot forget forgotten lost lose reset recover recovery restore",
        "change edit update modify switch rename reset",
        "delete remove erase close deactivate deletion removal",
        "cancel stop end unsubscribe cancellation terminate",
        "buy purchase order pay payment",
        "price cost costs pricing expensive cheap fee charge pay",
        "refund money return reimburse reimbursement",
        "join enter invite add",
        "connect link bind attach integrate pair connection",
        "login signin sign logon",
        "signup register registration join",
        "download install get installation",
        "start launch begin open run startup boot starting",
        "crash freeze hang stuck crashing crashed close",
        "error bug problem issue glitch fault",
        "lag slow ping latency delay fps stutter",
        "report complain complaint snitch flag",
        "cheat cheater cheating hack hacker hacking hacks exploit",
        "ban banned unban suspended suspension blocked",
        "mute silence disable quiet",
        "enable activate allow setup",
        "redeem enter use activate claim",
        "code key coupon voucher promo",
        "mod moderator moderation staff admin",
        "username nickname nick name login handle",
        "picture image photo avatar pfp icon",
        "mobile phone android ios iphone smartphone tablet",
        "controller gamepad joystick",
        "pc computer laptop desktop",
        "specs requirement requirements specification specifications",
        "coin coins gold currency money credits",
        "earn farm gain grind",
        "tournament tourney competition event contest",
        "rule rules allowed permitted guidelines forbidden",
        "contact reach talk write support",
        "wiki guide documentation manual docs",
        "notification notifications ping pings alert alerts",
        "transfer move migrate migration",
        "save saves saved saving progress",
        "store stored location folder directory located",
        "create make build",
        "see view show display visible",
        "premium subscription membership vip plus",
        "when date schedule time",
        "2fa mfa authentication authenticator auth factor",
        "min minimum minimal",
        "max maximum maximal",
        "verify verified verification confirm",
        "get obtain receive become earn",
        "сбросить сброс восстановить восстановление забыл забыла потерял поменять сменить",
        "сменить смена изменить изменение поменять обновить переименовать",
        "удалить удаление убрать стереть закрыть удален",
        "отменить отмена отказаться прекратить остановить отключить",
        "купить покупка заказать оплатить оплата",
        "цена стоимость стоит стоить дорого платить",
        "вернуть возврат возмещение деньги денег",
        "привязать привязка подключить подключение связать",
        "скачать загрузить установить установка",
        "запуск запустить запускается старт стартует включается",
        "вылетает вылет вылеты крашится краш зависает закрывается",
        "лаг лаги лагает пинг задержка тормозит",
        "жалоба жаловаться пожаловаться репорт сообщить",
        "читер чит читы взлом хакер",
        "бан забанили разбан разбанить заблокировали блокировка",
        "обжаловать обжалование апелляция оспорить",
        "модератор модератором модерация админ администратор",
        "ник никнейм имя логин юзернейм",
        "активировать активация ввести вводить использовать",
        "промокод код купон ключ",
        "турнир соревнование событие",
        "когда дата расписание время",
        "премиум подписка вип",
        "правила правило разрешено запрещено",
        "стать вступить набор заявка получить",
        "картинка изображение фото аватар аватарка",
        "мобильный телефон андроид смартфон",
    )
)
"""Groups of words that stand for each other in questions, each a part of the way."""

OPPOSITE_WORDS: Final = (
    ("on", "off"),
    ("in", "out"),
    ("up", "down"),
    ("enable", "disable"),
    ("mute", "unmute"),
    ("ban", "unban"),
    ("add", "remove"),
    ("create", "delete"),
    ("join", "leave"),
    ("buy", "sell"),
    ("login", "logout"),
    ("link", "unlink"),
    ("subscribe", "unsubscribe"),
    ("install", "uninstall"),
    ("increase", "decrease"),
    ("before", "after"),
    ("with", "without"),
    ("включить", "выключить"),
    ("включить", "отключить"),
    ("добавить", "удалить"),
    ("создать", "удалить"),
    ("войти", "выйти"),
    ("зайти", "выйти"),
    ("купить", "продать"),
    ("подписаться", "отписаться"),
    ("привязать", "отвязать"),
    ("увеличить", "уменьшить"),
)
"""Words that turn a question into its contrary."""
