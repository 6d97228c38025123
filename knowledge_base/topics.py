"""Topics: one thing a citizen asks about, worded for each period of the law."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from knowledge_base.dated import Citation, Label
from knowledge_base.errors import NoValueOnDate

Handling = Literal["answer", "personal_record", "human", "uncertain"]
SUBJECTS = ("voluntary", "maternity", "health", "one_off", "unemployment", "pension", "lookup", "related")
SCHEMES = (
    "voluntary",  # BHXH tự nguyện
    "voluntary_maternity",  # trợ cấp thai sản 2 triệu
    "maternity",  # thai sản bắt buộc
    "father",  # chồng nghỉ khi vợ sinh
    "health_household",  # BHYT hộ gia đình
    "health_student",  # BHYT học sinh, sinh viên, trẻ em
    "health_supported",  # BHYT hộ nghèo, cận nghèo, được hỗ trợ
    "health_card",  # thẻ BHYT nói chung
    "health_treatment",  # khám chữa bệnh BHYT
    "one_off",  # BHXH một lần
    "unemployment",  # bảo hiểm thất nghiệp
    "pension",  # lương hưu
    "social_pension",  # trợ cấp hưu trí xã hội
    "digital_account",  # VssID, VNeID, tài khoản
    "book",  # sổ, mã số BHXH
    "compulsory",  # BHXH bắt buộc
    "sickness",  # ốm đau, dưỡng sức
    "work_accident",  # tai nạn lao động
    "survivors",  # tử tuất, mai táng
    "office",  # cơ quan, liên hệ, khiếu nại
)
ASPECTS = (
    "who",  # ai được, đối tượng
    "conditions",  # điều kiện
    "pay_level",  # mức đóng
    "receive_level",  # mức hưởng
    "calculate",  # tính ra tiền
    "support",  # nhà nước hỗ trợ
    "payment_method",  # đóng theo tháng, quý, năm
    "benefits",  # được quyền lợi gì
    "register",  # đăng ký, mua, nộp ở đâu
    "documents",  # hồ sơ, giấy tờ
    "deadline",  # hạn nộp, bao lâu có
    "duration",  # nghỉ mấy ngày, hưởng mấy tháng
    "validity",  # khi nào có hiệu lực, hết hạn
    "interruption",  # gián đoạn, bảo lưu
    "transfer",  # chuyển, đổi
    "comparison",  # so sánh, nên hay không
    "own_record",  # hồ sơ, thẻ, sổ của chính mình
    "look_up",  # cách tra cứu
    "problem",  # sai sót, nợ đóng, khiếu nại
    "meaning",  # là gì, thông tin chung
)


@dataclass(frozen=True)
class Button:
    """A question offered to the citizen: a title of at most 20 characters and the sentence it means."""

    title: str
    say: str


@dataclass(frozen=True)
class Wording:
    """The answer's text from a day on; `text` None ends it."""

    start: date
    text: str | None
    citations: tuple[Citation, ...]
    label: Label
    line: int


@dataclass(frozen=True)
class Topic:
    """What is said about one thing, and where it came from."""

    id: str
    path: str
    title: str
    subject: str
    scheme: str
    aspect: str
    handling: Handling
    evaluation_labels: tuple[str, ...]
    button: Button
    wordings: tuple[Wording, ...]
    next: tuple[str, ...]
    calculator: str | None
    reviewed_on: date

    def wording(self, on: date) -> Wording:
        """The wording in force on a day. Raises NoValueOnDate before the first and after an end."""
        started = [wording for wording in self.wordings if wording.start <= on]
        if not started or started[-1].text is None:
            raise NoValueOnDate(self.id, on)
        return started[-1]
