"""Units, currencies and abbreviations, as they are spoken. Data alone.

English forms: one, many. Russian forms: one (один), few (два), many (пять), of a fraction (пять десятых …), and the
gender of the numeral before them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

Gender = Literal["m", "f", "n"]


class RussianUnit(NamedTuple):
    """A unit after a Russian numeral."""

    one: str
    few: str
    many: str
    gender: Gender = "m"

    def after(self, number: int) -> str:
        """The form after a whole number."""
        tens, ones = abs(number) % 100, abs(number) % 10
        if 11 <= tens <= 14 or ones == 0 or ones >= 5:  # noqa: PLR2004 - the rules of Russian numerals
            return self.many
        return self.one if ones == 1 else self.few


ENGLISH_UNITS: Final[Mapping[str, tuple[str, str]]] = {
    "%": ("percent", "percent"),
    "‰": ("per mille", "per mille"),
    "°C": ("degree Celsius", "degrees Celsius"),
    "°F": ("degree Fahrenheit", "degrees Fahrenheit"),
    "°": ("degree", "degrees"),
    "km/h": ("kilometer per hour", "kilometers per hour"),
    "m/s": ("meter per second", "meters per second"),
    "mph": ("mile per hour", "miles per hour"),
    "kbps": ("kilobit per second", "kilobits per second"),
    "Mbps": ("megabit per second", "megabits per second"),
    "km": ("kilometer", "kilometers"),
    "cm": ("centimeter", "centimeters"),
    "mm": ("millimeter", "millimeters"),
    "m": ("meter", "meters"),
    "ft": ("foot", "feet"),
    "kg": ("kilogram", "kilograms"),
    "mg": ("milligram", "milligrams"),
    "g": ("gram", "grams"),
    "lb": ("pound", "pounds"),
    "lbs": ("pound", "pounds"),
    "oz": ("ounce", "ounces"),
    "ml": ("milliliter", "milliliters"),
    "l": ("liter", "liters"),
    "TB": ("terabyte", "terabytes"),
    "GB": ("gigabyte", "gigabytes"),
    "MB": ("megabyte", "megabytes"),
    "KB": ("kilobyte", "kilobytes"),
    "kB": ("kilobyte", "kilobytes"),
    "GiB": ("gibibyte", "gibibytes"),
    "MiB": ("mebibyte", "mebibytes"),
    "KiB": ("kibibyte", "kibibytes"),
    "GHz": ("gigahertz", "gigahertz"),
    "MHz": ("megahertz", "megahertz"),
    "kHz": ("kilohertz", "kilohertz"),
    "Hz": ("hertz", "hertz"),
    "kW": ("kilowatt", "kilowatts"),
    "W": ("watt", "watts"),
    "V": ("volt", "volts"),
    "fps": ("frame per second", "frames per second"),
    "px": ("pixel", "pixels"),
    "ms": ("millisecond", "milliseconds"),
    "sec": ("second", "seconds"),
    "s": ("second", "seconds"),
    "min": ("minute", "minutes"),
    "hrs": ("hour", "hours"),
    "hr": ("hour", "hours"),
    "h": ("hour", "hours"),
}
ENGLISH_MONEY: Final[Mapping[str, tuple[str, str, str, str]]] = {
    "$": ("dollar", "dollars", "cent", "cents"),
    "€": ("euro", "euros", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"),
    "₽": ("ruble", "rubles", "kopeck", "kopecks"),
    "¥": ("yen", "yen", "sen", "sen"),
}
"""One, many, a hundredth, hundredths."""
RUSSIAN_UNITS: Final[Mapping[str, RussianUnit]] = {
    "%": RussianUnit("процент", "процента", "процентов"),
    "‰": RussianUnit("промилле", "промилле", "промилле", "n"),
    "°C": RussianUnit("градус Цельсия", "градуса Цельсия", "градусов Цельсия"),
    "°": RussianUnit("градус", "градуса", "градусов"),
    "км/ч": RussianUnit("километр в час", "километра в час", "километров в час"),
    "м/с": RussianUnit("метр в секунду", "метра в секунду", "метров в секунду"),
    "Мбит/с": RussianUnit("мегабит в секунду", "мегабита в секунду", "мегабит в секунду"),
    "км": RussianUnit("километр", "километра", "километров"),
    "см": RussianUnit("сантиметр", "сантиметра", "сантиметров"),
    "мм": RussianUnit("миллиметр", "миллиметра", "миллиметров"),
    "м": RussianUnit("метр", "метра", "метров"),
    "кг": RussianUnit("килограмм", "килограмма", "килограммов"),
    "мг": RussianUnit("миллиграмм", "миллиграмма", "миллиграммов"),
    "г": RussianUnit("грамм", "грамма", "граммов"),
    "мл": RussianUnit("миллилитр", "миллилитра", "миллилитров"),
    "л": RussianUnit("литр", "литра", "литров"),
    "ТБ": RussianUnit("терабайт", "терабайта", "терабайт"),
    "ГБ": RussianUnit("гигабайт", "гигабайта", "гигабайт"),
    "МБ": RussianUnit("мегабайт", "мегабайта", "мегабайт"),
    "КБ": RussianUnit("килобайт", "килобайта", "килобайт"),
    "ГГц": RussianUnit("гигагерц", "гигагерца", "гигагерц"),
    "МГц": RussianUnit("мегагерц", "мегагерца", "мегагерц"),
    "кГц": RussianUnit("килогерц", "килогерца", "килогерц"),
    "Гц": RussianUnit("герц", "герца", "герц"),
    "кВт": RussianUnit("киловатт", "киловатта", "киловатт"),
    "Вт": RussianUnit("ватт", "ватта", "ватт"),
    "мс": RussianUnit("миллисекунда", "миллисекунды", "миллисекунд", "f"),
    "сек": RussianUnit("секунда", "секунды", "секунд", "f"),
    "с": RussianUnit("секунда", "секунды", "секунд", "f"),
    "мин": RussianUnit("минута", "минуты", "минут", "f"),
    "ч": RussianUnit("час", "часа", "часов"),
    "шт": RussianUnit("штука", "штуки", "штук", "f"),
    "тыс": RussianUnit("тысяча", "тысячи", "тысяч", "f"),
    "млн": RussianUnit("миллион", "миллиона", "миллионов"),
    "млрд": RussianUnit("миллиард", "миллиарда", "миллиардов"),
    "руб": RussianUnit("рубль", "рубля", "рублей"),
    "коп": RussianUnit("копейка", "копейки", "копеек", "f"),
    "₽": RussianUnit("рубль", "рубля", "рублей"),
    "$": RussianUnit("доллар", "доллара", "долларов"),
    "€": RussianUnit("евро", "евро", "евро", "n"),
    "£": RussianUnit("фунт", "фунта", "фунтов"),
    "¥": RussianUnit("иена", "иены", "иен", "f"),
}
RUSSIAN_CENTS: Final[Mapping[str, RussianUnit]] = {
    "₽": RUSSIAN_UNITS["коп"],
    "$": RussianUnit("цент", "цента", "центов"),
    "€": RussianUnit("цент", "цента", "центов"),
    "£": RussianUnit("пенс", "пенса", "пенсов"),
}
ENGLISH_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
RUSSIAN_MONTHS: Final = (
    "января", "февраля", "марта", "апреля", "мая", "июня",
    "июля", "августа", "сентября", "октября", "ноября", "декабря",
)  # fmt: skip
ENGLISH_SHORT: Final[Mapping[str, str]] = {
    "e.g.": "for example",
    "i.e.": "that is",
    "etc.": "et cetera",
    "vs.": "versus",
    "approx.": "approximately",
    "Dr.": "Doctor",
    "Mr.": "Mister",
    "Mrs.": "Missis",
    "Ms.": "Miz",
    "w/o": "without",
    "FAQ": "F A Q",
}
RUSSIAN_SHORT: Final[Mapping[str, str]] = {
    "т. е.": "то есть",
    "т.е.": "то есть",
    "т. д.": "так далее",
    "т.д.": "так далее",
    "т. п.": "тому подобное",
    "т.п.": "тому подобное",
    "т. к.": "так как",
    "т.к.": "так как",
    "т. н.": "так называемый",
    "и др.": "и другие",
    "и пр.": "и прочее",
    "напр.": "например",
    "см.": "смотрите",
    "стр.": "страница",
    "ул.": "улица",
    "тел.": "телефон",
    "мин.": "минут",
    "макс.": "максимум",
}
SYMBOLS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {"&": "and", "+": "plus", "=": "equals", "×": "times", "÷": "divided by", "≈": "about", "≤": "at most",
           "≥": "at least", "<": "less than", ">": "greater than", "→": "to", "№": "number", "@": "at"},
    "ru": {"&": "и", "+": "плюс", "=": "равно", "×": "умножить на", "÷": "делить на", "≈": "примерно",
           "≤": "не больше", "≥": "не меньше", "<": "меньше", ">": "больше", "→": "к", "№": "номер", "@": "собака"},
}  # fmt: skip
"""Signs that are read when they stand by themselves or between numbers."""
