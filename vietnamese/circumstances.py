"""Read the circumstances a figure depends on: support group, sex, births, weeks, age, region, student."""

import re

from vietnamese.numbers import DIGITS, NUMBER, WORDS, read_number
from vietnamese.text import Found, Reading

_NOT = r"(?:khong|ko|k|kg|hong|hok|khg|hk|hem|chang|cha)"
_NOT_SUPPORTED = re.compile(
    rf"(?<![a-z]){_NOT}\s+(?:phai\s+|thuoc\s+|nam trong\s+|la\s+){{1,2}}(?:dien|doi tuong|nhom)(?![a-z])"
    r"(?!\s+(?:bat buoc|tham gia|dong|phai))(?:\s+(?:nao|gi|uu tien|chinh sach|duoc ho tro|ho tro"
    r"|dac biet|ho|ngheo|can ngheo|dan toc))*"
    rf"|(?<![a-z]){_NOT}\s+(?:phai\s+|thuoc\s+|la\s+|co\s+)*(?:dien\s+|ho\s+|gia dinh\s+|nguoi\s+"
    rf"|nha\s+)*(?:can\s+)?ngheo(?![a-z])"
    rf"|(?<![a-z]){_NOT}\s+uu tien(?![a-z])"
)
_ORDINARY = re.compile(
    r"(?<![a-z])(?:dien|doi tuong|ho|nguoi|nhom|gia dinh|dan)\s+(?:binh thuong|thuong(?!\s+(?:tru|xuyen"
    r"|binh|tat)))(?![a-z])|(?<![a-z])(?:dien|doi tuong|nhom)\s+khac(?![a-z])(?!\s+nhau)"
)
_NEAR_POOR = re.compile(r"(?<![a-z])(?:can|cn|gan)\s*ngh?eo+(?![a-z])|(?<![a-z])hcn(?![a-z])")
_POOR = re.compile(
    r"(?<![a-z])(?<!chuan )(?<!thoat )(?<!khoi )(?<!chuan ra )(?:ho|dien|gia dinh|nha|nguoi|dan|thuoc"
    r"|so)\s+(?:em\s+|e\s+|minh\s+|toi\s+)?ngh?eo+(?![a-z])"
    r"(?!\s+(?:kho\s+)?(?:moi|tang|thay doi))"
)
_ETHNIC = re.compile(
    r"(?<![a-z])(?:nguoi\s+|dong bao\s+)?(?:dan toc(?!\s+(?:kinh|noi tru))(?:\s+(?:thieu so|it nguoi))?"
    r"|dtts|dttts)(?![a-z])"
    r"|(?<![a-z])(?:hmong|h'mong|h mong|khmer|kho me|gia rai|jrai|raglai)(?![a-z])"
    r"|(?<![a-z])(?:nguoi|ng)\s+(?:mong|tay|nung|muong|san diu|cao lan|dao|thai|e de|ede|ba na|bahnar|cham"
    r"|xo dang|k ho|kho mu|co ho|san chay|hre|mnong|m'nong|gie trieng|van kieu|pa co|co tu|giay|la hu|ha nhi)"
    r"(?![a-z])"
)
_ISLAND = re.compile(r"(?<![a-z])(?:xa dao|huyen dao|dac khu|ngoai dao|dao xa|hai dao)(?![a-z])")

_NU = re.compile(r"(?<![a-z])(?:lao dong nu|gioi tinh nu|phu nu|nu gioi|nu)(?![a-z])")
_NAM = re.compile(r"(?<![a-z])(?:lao dong nam|gioi tinh nam|nam gioi|nam)(?![a-z])")
_NAM_IN_A_NAME = re.compile(
    r"(?:(?<![a-z])(?:viet|mien|phia|huong|ha|quang|dong|tay|an|ong|anh|chu|em|chi|ba|ten|tinh|hoa|bv"
    r"|so|[0-9]+)\s+)$"
)
_NAM_OF_A_NAME = re.compile(
    r"\s+(?:dinh(?!\s+(?:nghi|dong))|bo|a(?![a-z])|my|phi|phong|can|dan|cuong|nay|ngoai|sau|toi|roi"
    r"|[0-9]{4}(?![0-9]))"
)
_NAM_WITHOUT_ACCENTS = re.compile(
    r"(?<![a-z])(?:lao dong|gioi tinh|la|bac|gioi|nguoi)\s+nam(?![a-z])(?!\s*[0-9])|"
    r"(?<![a-z])nam\s+gioi(?![a-z])"
    r"|(?<!thang )(?<!sai )(?<!sua )(?<!ngay )(?<!ghi )(?<!doi )(?<![a-z])nam\s+sinh(?=\s+(?:thang|nam"
    r"|ngay|[0-9]))"
    r"|(?<=[12][09][0-9]{2}\s)nam(?![a-z])(?!\s*[0-9])|(?<![a-z])nam\s+(?:bao nhieu|bn|may)\s+tuoi"
    r"|^nam(?=\s+(?:dong|du\s|bao nhieu))|(?<=tuoi\s)nam(?![a-z])|(?<![a-z])nam(?=\s+[0-9]{2}\s*tuoi)"
)
_OWNER = r"\s+(?:cua\s+)?(?:em|e|toi|t|minh|chau|con|tui|chong|vo)(?![a-z])"
_OWNER_AFTER = re.compile(_OWNER)
_WOMAN = re.compile(
    rf"(?<![a-z])(?:(?:me|vo|vk|ba xa|ba noi|ba ngoai|chi gai|em gai|bac gai|con gai)(?:{_OWNER})"
    r"|(?:ba noi|ba ngoai|chi gai|em gai|bac gai|me bim|la con gai)(?![a-z]))"
)
_WOMAN_SPELT = re.compile(
    rf"(?<![a-z])(?:ba|co|ma|di)(?:{_OWNER})|(?<![a-z])(?:chi)\s+(?:toi|minh|chau)(?![a-z])|(?<![a-z])"
    rf"(?:co|chi|ba|di|me)(?=\s+[0-9]{{2}}\s*t)|(?<![a-z])vo(?=\s+(?:sinh nam|sn|thi|[0-9]))"
)
_WOMAN_SPELLINGS = ("bà", "cô", "má", "chị", "dì", "mẹ", "vợ")
_MAN = re.compile(
    rf"(?<![a-z])(?:(?:bo|cha|chong|ck|ong|ong noi|ong ngoai|anh trai|em trai|con trai|bac trai)(?:{_OWNER})"
    r"|(?:ong noi|ong ngoai|ong xa|anh trai|em trai|bac trai|la con trai)(?![a-z])"
    r"|(?:chong|ck)(?=\s+(?:sinh|sn|thi|[0-9])))"
)
_MAN_SPELT = re.compile(
    rf"(?<![a-z])(?:ba|chu|cau|tia)(?:{_OWNER})|(?<![a-z])anh\s+(?:toi|minh|chau)(?![a-z])|(?<![a-z])"
    rf"(?:chu|anh|ong|bo)(?=\s+[0-9]{{2}}\s*t)"
)
_MAN_SPELLINGS = ("ba", "chú", "cậu", "tía", "anh", "ông", "bố")
_PAIRS = re.compile(
    r"(?<![a-z])(?:co chu|anh chi|chi em|anh em|ong ba|ba me|bo me|cha me|ba ma|bo ma|vo chong|vk ck"
    r"|vo con|chong con|me con|bo con|ba con|chu bac)(?![a-z])"
)

_TWINS = re.compile(
    r"(?<![a-z])(?:sinh doi|song thai|song sinh|thai doi|bau doi|de doi|mang thai doi|cap doi|sanh doi)"
    r"(?![a-z])(?!\s+(?:ten|the|dia))"
)
_TRIPLETS = re.compile(
    r"(?<![a-z])(?:(?P<verb>sinh|de|bau|thai|sanh)\s+(?:ba|3)|tam thai)(?![a-z0-9])"
    r"(?!\s*(?:thang|tuan|ngay|nam|lan|me|em|toi|noi|ngoai|th|t|tuoi|con\s+(?:thu|trai|gai))(?![a-z])"
    r"|\s*[.,/]?[0-9])"
)
_NEWBORNS = re.compile(
    rf"(?<!thu )(?P<count>{DIGITS}|{WORDS})\s*(?P<noun>be|em be|baby|con|dua|chau)(?![a-z])"
    r"(?!\s*(?:thu|dau|so|nuoi)(?![a-z]))"
)
_BEARING_BEFORE = re.compile(
    r"(?<![a-z])(?:sinh|de|bau|sanh|mang thai)\s+(?:duoc\s+|dc\s+|mot lan\s+|1 lan\s+|xong\s+|them\s+)?$"
)
_AT_ONCE = re.compile(r"(?<![a-z])(?:(?:mot|1|cung)\s+(?:lan|luc)|cung sinh|luon)(?![a-z])")
_CHILD = r"(?:con|be|dua|chau|em be|baby|nhoc|nhok)"
_BIRTH_ORDER = re.compile(
    rf"(?<![a-z])(?:{_CHILD}|(?:lan\s+)?sinh|sinh\s+lan|de\s+lan|bau\s+lan|mang thai\s+lan)\s*(?:thu\s*"
    rf"(?P<order>[0-9]|nhat|nhi|mot|hai|ba|tu|bon|nam|sau|bay|tam|chin)|so\s*(?P<number>[1-9])|t"
    rf"(?P<short>[1-9]))(?![0-9a-z])"
)
_BIRTH_ORDER_SHORT = re.compile(
    r"(?<![a-z])(?:(?:sinh|de|bau|sanh|mang thai|co bau)(?:\s+(?:thuong|mo))?\s+(?:con|be|dua|em be|tap|lan)"
    r"|tap)\s+"
    r"(?P<order>[1-9]|hai|ba)(?![0-9a-z])"
    r"(?!\s*(?:tuoi|tuan|ngay|nam|kg|tr|trieu|k|cu|thang(?!\s*[0-9])|[.,/]))"
)
_FIRST_BORN = re.compile(
    rf"(?<![a-z])(?:{_CHILD}|sinh lan|de lan|mang thai lan|bau lan)\s+(?P<word>dau)(?:\s+long|\s+tien)?"
    rf"(?![a-z])(?!\s*(?:om|benh|nang|yeu|bung|dau))|(?<![a-z])con so(?![a-z])(?=$|[ ,.?!]*$)"
)

_SURGERY = re.compile(
    r"(?<![a-z])(?:(?:sinh|de|sanh)(?:\s+(?:con|be|em|phai|bi|bang|do|doi|ba|hai|song|sinh|som|non|thi|dua|dau|[23]))"
    r"{0,4}\s+(?:mo|phau thuat)|(?:mo|phau thuat)\s+(?:de|sinh|lay thai|bat con|lay con)"
    r"|(?:vo|vk|ba xa|chi ay)\s+(?:em |e |toi |minh )?(?:phai |bi )?mo)(?![a-z])"
)
_NATURAL = re.compile(
    r"(?<![a-z])(?:sinh|de|sanh)(?:\s+(?:con|be|dau|long|nay|em|duoc|ngon|[0-9])){0,3}\s+"
    r"(?P<word>thuong)(?![a-z])(?!\s+(?:tru|xuyen|thi(?=\s+bao)|tat))"
)

_AGE = re.compile(
    rf"(?:(?<!thang )(?<!tuan )(?P<age>{NUMBER})\s*(?:tuoi|tuoii|tuois|tui)(?![a-z])|(?<![a-z])tuoi\s+"
    rf"(?P<after>[1-9][0-9])(?![0-9])(?!\s*(?:thang|nam)))"
    rf"(?:\s*(?:va\s+|ruoi|{DIGITS}\s*(?:thang|th)(?![a-z])))?"
)
_AGE_SHORT = re.compile(r"(?<![a-z0-9.,/])(?P<age>2[5-9]|[3-9][0-9])t(?![a-z0-9])")
_WEEKS = re.compile(
    rf"(?P<weeks>{NUMBER})\s*(?:tuan|tuann|tuans)(?![a-z])(?:\s+tuoi(?![a-z]))?|(?<![a-z])tuan\s+"
    rf"(?:thu\s+|thai\s+)?(?P<after>[0-9]{{1,2}})(?![0-9/])"
)
_PREGNANCY = re.compile(
    r"(?<![a-z])(?:thai(?!\s+san)|bau|sinh non|sinh|de|sanh|say|luu|em be|mang bau)(?![a-z])"
)
_PREGNANCY_BEFORE = re.compile(r"(?<![a-z])(?:thai|bau|say|luu)(?![a-z])(?!\s+san)[^.?!\n]{0,8}$")
_WAITING_BEFORE = re.compile(
    r"(?<![a-z])(?:nop|cho|hen|tre|cham|qua han|duyet|het|lam lai)(?![a-z])[^.?!\n]{0,10}$"
)
_BIRTH_BEFORE = re.compile(r"(?<![a-z])(?:sinh|de|sanh)(?![a-z])[^.?!\n]{0,24}$")
_NOT_A_BIRTH = re.compile(
    r"(?<![a-z])(?:thai luu|chet luu|luu thai|say thai|hu thai|pha thai|kham thai|dinh chi)(?![a-z])"
)
_UNDER_32 = re.compile(
    r"(?<![a-z])(?:duoi|truoc|chua\s+(?:toi|den|du|day|duoc)|chua|nho hon|it hon|<)\s*(?:tuan\s+"
    r"(?:thu\s+)?)?32(?:\s*tuan)?(?![a-z0-9])"
)
_FROM_32 = re.compile(
    r"(?<![a-z])(?:tren|tu|sau|du|hon|qua|>=?)\s*(?:tuan\s+(?:thu\s+)?)?32\s*tuan(?![a-z0-9])"
)

_REGION = re.compile(r"(?<![a-z])vung\s*(?P<region>[1-4]|iv|i{1,3}|mot|hai|ba|bon)(?![a-z0-9])")
_REGIONS = {
    "1": 1,
    "2": 2,
    "3": 3,
    "4": 4,
    "i": 1,
    "ii": 2,
    "iii": 3,
    "iv": 4,
    "mot": 1,
    "hai": 2,
    "ba": 3,
    "bon": 4,
}
_STUDENT = re.compile(
    r"(?<![a-z])(?:hoc sinh|sinh vien|hssv|hs\s*sv|hs,\s*sv|sv|hoc sih|tan sinh vien|hs\s+(?=lop|cap"
    r"|tieu hoc))(?![a-z])"
)


def parse_group(text: str) -> Found[str] | None:
    """`poor`, `near_poor`, `ethnic_minority`, `island` or `other`; None when unclear or unsaid."""
    return find_group(Reading.of(text))


def parse_sex(text: str) -> Found[str] | None:
    """`female` or `male`, only where it is clear whom the message is about."""
    return find_sex(Reading.of(text))


def parse_children(text: str) -> Found[int] | None:
    """How many children are born at once (`sinh đôi`, `2 bé`)."""
    return find_children(Reading.of(text))


def parse_birth_order(text: str) -> Found[int] | None:
    """Which child it is (`con đầu`, `bé thứ hai`)."""
    return find_birth_order(Reading.of(text))


def parse_caesarean(text: str) -> Found[bool] | None:
    """True for a caesarean (`sinh mổ`), False for a normal birth "
    "(`sinh thường`), None for both or neither."""
    return find_caesarean(Reading.of(text))


def parse_before_32_weeks(text: str) -> Found[bool] | None:
    """Whether the birth came before the 32nd week."""
    return find_before_32_weeks(Reading.of(text))


def parse_region(text: str) -> Found[int] | None:
    """The minimum-wage region 1 to 4 (`vùng II`)."""
    return find_region(Reading.of(text))


def parse_weeks(text: str) -> Found[int] | None:
    """Weeks of pregnancy (`thai 15 tuần`)."""
    return find_weeks(Reading.of(text))


def parse_age(text: str) -> Found[int] | None:
    """Age in whole years (`45 tuổi`, `57t`); a baby's age in months or weeks is none."""
    return find_age(Reading.of(text))


def parse_student(text: str) -> Found[bool] | None:
    """True when a pupil or student is named."""
    return find_student(Reading.of(text))


def find_group(reading: Reading) -> Found[str] | None:
    """As `parse_group`, for a prepared message. The better support wins when two apply at once."""
    denied = _NOT_SUPPORTED.search(reading.folded)
    if denied:
        reading = reading.without([denied.span()])
    if match := _ISLAND.search(reading.folded):
        return reading.found("island", *match.span())
    near_poor = _NEAR_POOR.search(reading.folded)
    poor = _POOR.search(reading.folded)
    if near_poor and poor:
        return None  # a question about both groups
    if poor:
        return reading.found("poor", *poor.span())
    if near_poor:
        return reading.found("near_poor", *near_poor.span())
    if match := _ETHNIC.search(reading.folded):
        return reading.found("ethnic_minority", *match.span())
    ordinary = denied or _ORDINARY.search(reading.folded)
    return reading.found("other", *ordinary.span()) if ordinary else None


def find_sex(reading: Reading) -> Found[str] | None:
    """As `parse_sex`, for a prepared message: explicit words first, then whose relative is spoken of."""
    women = [match for match in _NU.finditer(reading.folded) if _written(reading, match, "nữ", "nu", "nử")]
    men = _explicit_men(reading)
    if not women and not men:
        rest = reading.without(match.span() for match in _PAIRS.finditer(reading.folded))
        women = list(_WOMAN.finditer(rest.folded)) + _spelt(rest, _WOMAN_SPELT, _WOMAN_SPELLINGS)
        men = list(_MAN.finditer(rest.folded)) + _spelt(rest, _MAN_SPELT, _MAN_SPELLINGS)
    if bool(women) == bool(men):
        return None
    return reading.found("female" if women else "male", *(women or men)[0].span())


def find_children(reading: Reading) -> Found[int] | None:
    """As `parse_children`, for a prepared message."""
    twins = _TWINS.search(reading.folded)
    if twins and _written(reading, twins, "đôi", "doi", "đooi", "đoi", "dôi", "song"):
        return reading.found(2, *twins.span())
    if (match := _TRIPLETS.search(reading.folded)) and "bà" not in reading.written(*match.span()):
        return reading.found(3, *match.span())
    for match in _NEWBORNS.finditer(reading.folded):
        # `đẻ hai con` is how many one wants, unless they come at once.
        if match["noun"] == "con" and not _AT_ONCE.search(reading.folded):
            continue
        count = read_number(reading, *match.span("count"))
        bearing = _BEARING_BEFORE.search(reading.folded, max(0, match.start() - 24), match.start())
        named = match["noun"] in {"be", "em be", "baby"}
        if count is not None and 1 <= count <= 5 and (bearing or (named and count > 1)):
            return reading.found(count, bearing.start() if bearing else match.start(), match.end())
    return None


def find_birth_order(reading: Reading) -> Found[int] | None:
    """As `parse_birth_order`, for a prepared message: the latest child named."""
    found = []
    for pattern in (_BIRTH_ORDER, _BIRTH_ORDER_SHORT):
        for match in pattern.finditer(reading.folded):
            order = _order(reading, match)
            if order is not None and 1 <= order <= 9:
                found.append(reading.found(order, *match.span()))
    for match in _FIRST_BORN.finditer(reading.folded):
        if not match["word"] or _is_first(reading, match):
            found.append(reading.found(1, *match.span()))
    return max(found, key=lambda order: order.value, default=None)


def find_caesarean(reading: Reading) -> Found[bool] | None:
    """As `parse_caesarean`, for a prepared message."""
    surgery = next(
        (
            m
            for m in _SURGERY.finditer(reading.folded)
            if _written(reading, m, "mổ", "mỗ", "mo", "phẫu", "phau")
        ),
        None,
    )
    natural = next(
        (
            m
            for m in _NATURAL.finditer(reading.folded)
            if _written(reading, m, "thường", "thuong", "thuờng", "thừơng", "thưòng", "thừong")
        ),
        None,
    )
    if bool(surgery) == bool(natural):
        return None
    match = surgery or natural
    return reading.found(surgery is not None, *match.span()) if match else None


def find_before_32_weeks(reading: Reading) -> Found[bool] | None:
    """As `parse_before_32_weeks`, for a prepared message."""
    if match := _UNDER_32.search(reading.folded):
        return reading.found(True, *match.span())
    if match := _FROM_32.search(reading.folded):
        return reading.found(False, *match.span())
    weeks = find_weeks(reading)
    if weeks is None or weeks.value < 22 or _NOT_A_BIRTH.search(reading.folded):
        return None
    if not _BIRTH_BEFORE.search(reading.folded[: weeks.start]):
        return None
    return reading.found(weeks.value < 32, weeks.start, weeks.end)


def find_region(reading: Reading) -> Found[int] | None:
    """As `parse_region`, for a prepared message."""
    match = _REGION.search(reading.folded)
    return reading.found(_REGIONS[match["region"]], *match.span()) if match else None


def find_weeks(reading: Reading) -> Found[int] | None:
    """As `parse_weeks`, for a prepared message, which speaks of a pregnancy or says little else."""
    short = len(reading.folded.split()) <= 4
    if not short and not _PREGNANCY.search(reading.folded):
        return None
    for match in _WEEKS.finditer(reading.folded):
        name = "weeks" if match["weeks"] else "after"
        weeks = read_number(reading, *match.span(name))
        if weeks is None or not 1 <= weeks <= 42:
            continue
        before = reading.folded[: match.start()]
        if _PREGNANCY_BEFORE.search(before) or (weeks >= 4 and not _WAITING_BEFORE.search(before)):
            return reading.found(weeks, *match.span())
    return None


def find_age(reading: Reading) -> Found[int] | None:
    """As `parse_age`, for a prepared message."""
    for pattern in (_AGE, _AGE_SHORT):
        for match in pattern.finditer(reading.folded):
            name = "age" if match["age"] else "after"
            age = read_number(reading, *match.span(name))
            if age is not None and 1 <= age <= 110:
                return reading.found(age, *match.span())
    return None


def find_student(reading: Reading) -> Found[bool] | None:
    """As `parse_student`, for a prepared message."""
    match = _STUDENT.search(reading.folded)
    return reading.found(True, *match.span()) if match else None


def _written(reading: Reading, match: re.Match[str], *spellings: str) -> bool:
    """Whether the match, as typed, has one of these words."""
    words = reading.written(*match.span()).split()
    return any(spelling in words for spelling in spellings)


def _explicit_men(reading: Reading) -> list[re.Match[str]]:
    if reading.accent_free:
        return list(_NAM_WITHOUT_ACCENTS.finditer(reading.folded))
    return [
        match
        for match in _NAM.finditer(reading.folded)
        if _written(reading, match, "nam")
        and not _NAM_IN_A_NAME.search(reading.folded[max(0, match.start() - 8) : match.start()])
        and not _NAM_OF_A_NAME.match(reading.folded, match.end())
    ]


def _spelt(reading: Reading, pattern: re.Pattern[str], spellings: tuple[str, ...]) -> list[re.Match[str]]:
    """Relatives told apart by their accents alone "
    "(`ba` father, `bà` grandmother): never in accent-free text."""
    if reading.accent_free:
        return []
    return [
        match
        for match in pattern.finditer(reading.folded)
        if reading.written(*match.span()).split()[0] in spellings
    ]


def _is_first(reading: Reading, match: re.Match[str]) -> bool:
    """Tells `con đầu` (first child) from `con đau` (ill) and `con dâu` (daughter-in-law)."""
    if reading.written(*match.span("word")) in {"đầu", "đâu", "đàu", "đấu"}:
        return True
    bare = reading.written(*match.span("word")) == "dau"
    return bare and not _OWNER_AFTER.match(reading.folded, match.end())


def _order(reading: Reading, match: re.Match[str]) -> int | None:
    groups = match.groupdict()
    word = groups.get("order")
    if word is None:
        return int(groups.get("number") or groups["short"])
    if word in {"nhat", "nhi", "tu"}:
        return {"nhat": 1, "nhi": 2, "tu": 4}[word]
    return read_number(reading, *match.span("order"))
