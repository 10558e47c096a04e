"""Words around a name that tell whether somebody is called by it, in English and Russian. Data alone."""

from __future__ import annotations

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


CALLING: Final = _words(
    "hey hi hello ok okay oh so um uh er ah well yo please now and but dear listen good morning evening "
    "эй хей привет слушай послушай ну окей ок а и так здравствуй здравствуйте пожалуйста эм э ой алло ладно дорогой "
    "добрый день вечер утро"
)
"""Said before a name that is called, and no part of what is asked."""
BESIDE: Final = _words(
    "thanks thank you stop wait quiet enough cheers no yes cancel never mind "
    "спасибо благодарю стоп хватит подожди тихо достаточно нет да замолчи погоди отмена"
)
"""Said before a name that is called, and part of what is said."""
ASKING: Final = _words(
    "what whats what's who whos who's whom whose which when where where's wheres why how how's hows "
    "can could would will shall should may do are am did tell give show explain help say find list read answer "
    "repeat define compare describe name check remind summarize translate please let's lets "
    "что чего чему чем кто кого кому кем какой какая какое какие какого какую каким каком каких как когда где куда "
    "откуда зачем почему отчего сколько чей чья чьё чьи можно можешь можете нужно надо есть ли а скажи скажите "
    "расскажи расскажите подскажи подскажите объясни объясните покажи покажите помоги помогите дай дайте найди "
    "напомни напомните ответь повтори прочитай назови сравни опиши проверь переведи пожалуйста"
)
"""What a question or a request begins with."""
ONESELF: Final = _words("i i'd i'm we you я мы ты вы мне нам")
"""What else one says behind a name that one calls."""
TELLING: Final = _words(
    "is isn't isnt was wasn't wasnt has hasn't had said says told does doesn't doesnt can't cant cannot won't wont "
    "didn't didnt knows thinks gave gives answered answers got gets went made makes seems sounds works worked likes "
    "might and or just never always already also too even who that which "
    "сказал говорит говорил не опять снова уже это был была были и или ответил отвечает знает тоже молчит работает "
    "сломался завис умеет может думает хочет просто всегда никогда даже который которая которого сейчас вчера "
    "сегодня ему ей им его их нас ушёл ушел пришёл пришел дал даёт дает сделал считает"
)
"""What follows the name of somebody who is spoken of."""
ABOUT: Final = _words(
    "to of about with for like ask asked use used by from the a an my our your his her their this that is are was "
    "and or called named than tell told at on in into via as love hate know try tried call see saw "
    "про о об обо у с со к ко от на для это и или спроси спросить спросил зовут через по за из в без мой моя наш "
    "твой ваш его её их этот тот этого как называется люблю знаю звать"
)
"""Said before the name of somebody who is spoken of."""
JOINING: Final = _words("and or и или но but который которая которого которому которым которые")
"""What follows a name between two commas that is one of a list, or explained."""
ORDINARY: Final = _words(
    "trainer coach bot helper assistant teacher mentor guide tutor triangle training train trainers stranger "
    "тренер бот помощник ассистент учитель наставник гид стажёр стажер тренажёр тренажер робот треугольник тренинг"
)
"""Names, and what names are heard as, that people say of others as well."""
ENDINGS: Final = (
    "ями",
    "ами",
    "ою",
    "ом",
    "ем",
    "ём",
    "ой",
    "ей",
    "ов",
    "ам",
    "ах",
    "а",
    "у",
    "е",
    "ы",
    "и",
    "ю",
    "я",
)
"""Of Russian nouns, the longest first."""
