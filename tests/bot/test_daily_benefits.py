"""Conversations about days of leave, contributions withheld and what a visit costs."""

from __future__ import annotations

import pytest

from bot.actions.daily_benefits import leave_and_visit
from tests.bot.talking import Conversation, Said

DAILY = ("ask_topic/maternity.daily_calculate", 0.9)
ANTENATAL = ("ask_topic/maternity.antenatal_visits", 0.9)
MISCARRIAGE = ("ask_topic/maternity.miscarriage", 0.9)
SICKNESS = ("ask_topic/related.sickness", 0.9)
RATES = ("ask_topic/related.compulsory_rates", 0.9)
SHARE = ("ask_topic/health.benefit_rate", 0.9)
LOW_COST = ("ask_topic/health.low_cost_visit", 0.9)
OUTPATIENT = ("ask_topic/health.outside_line_outpatient", 0.9)
INPATIENT = ("ask_topic/health.outside_line_inpatient", 0.9)


def first_line(said: Said) -> str:
    return said.text.partition("\n")[0]


@pytest.mark.parametrize(
    ("text", "label", "amounts"),
    [
        ("khám thai 5 lần mỗi lần 2 ngày lương 12 triệu", DAILY, ["5.000.000"]),
        ("kham thai 5 lan moi lan 2 ngay luong 12tr dc bn", ANTENATAL, ["5.000.000"]),
        ("lương 6 triệu nghỉ khám thai 2 ngày được mấy tiền", DAILY, ["500.000"]),  # 250,000 × 2
        ("đi khám thai lương đóng 9tr6 thì được trả bao nhiêu", ANTENATAL, ["4.000.000"]),  # 400,000 × 10
        ("lương 9 triệu thì mỗi ngày đi khám thai được bao nhiêu", ANTENATAL, ["375.000"]),
        ("sảy thai 8 tuần nghỉ 20 ngày lương 9 triệu", DAILY, ["6.000.000"]),
        ("sảy thai nghỉ 20 ngày, lương đóng 6tr được bao nhiêu", MISCARRIAGE, ["4.000.000"]),  # 200,000 × 20
        ("thai lưu 15 tuần lương 9 triệu được bao nhiêu", MISCARRIAGE, ["12.000.000"]),  # 300,000 × 40
        (
            "bầu 6 tuần không giữ được, lương 9tr được nhiêu",
            MISCARRIAGE,
            ["6.000.000"],
        ),  # no word for the kind
        ("ốm 4 ngày lương 9tr6", SICKNESS, ["1.200.000"]),
        ("nghi om 3 ngay luong dong 8tr dc bao nhieu tien", SICKNESS, ["750.000"]),  # 250,000 × 3
        ("lương 12 triệu nghỉ ốm một ngày bao nhiêu", SICKNESS, ["375.000"]),
        ("lương đóng 8 triệu bị trừ bao nhiêu", RATES, ["840.000"]),
        ("luong 10tr bi tru bh bn 1 thang", RATES, ["1.050.000"]),
        ("khám ngoại trú đúng nơi 500 nghìn thẻ 80% tôi trả bao nhiêu", SHARE, ["400.000", "100.000"]),
        ("the 80% nam vien 10tr thi minh tra may trieu", SHARE, ["8.000.000", "2.000.000"]),
        ("Em nằm viện hết 12 triệu, có thẻ hộ gia đình thì còn phải trả bao nhiêu", SHARE, ["2.400.000"]),
        ("thẻ 95% nằm viện 10 triệu tôi trả bao nhiêu", SHARE, ["9.500.000", "500.000"]),
        ("mẹ em thẻ hưu trí khám hết 1 triệu trả bao nhiêu", SHARE, ["950.000", "50.000"]),
        ("cấp cứu trái tuyến hết 2 triệu thẻ 80% trả bao nhiêu", SHARE, ["1.600.000", "400.000"]),
        (
            "tự đến bệnh viện tuyến tỉnh khám ngoại trú hết 2 triệu thẻ 80%",
            OUTPATIENT,
            ["800.000", "1.200.000"],
        ),
        ("nằm viện trung ương trái tuyến hết 10 triệu thẻ 80%", INPATIENT, ["3.200.000", "6.800.000"]),
    ],
)
def test_what_is_told_is_worked_out_in_the_first_line(
    text: str, label: tuple[str, float], amounts: list[str]
) -> None:
    said = Conversation().say(text, label)
    assert said.turn["outcome"] == "answered"
    assert said.turn["topics"] == [label[0].partition("/")[2]]
    for amount in amounts:
        assert f"{amount} đồng" in first_line(said)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("khám 350.000 tháng 9/2026 thẻ 80% trả bao nhiêu", SHARE),
        ("hôm qua em khám hết 300 ngàn có phải trả không", LOW_COST),
        ("hộ cận nghèo nằm viện 5 triệu trả bao nhiêu", SHARE),
        ("bé 3 tuổi nằm viện 5 triệu trả bao nhiêu", SHARE),
        ("khám ở trạm y tế hết 600 nghìn trả bao nhiêu", SHARE),
        ("hộ nghèo nằm viện hết 8 triệu có phải trả gì không", SHARE),
    ],
)
def test_the_fund_pays_everything(text: str, label: tuple[str, float]) -> None:
    assert "Quỹ BHYT trả hết" in first_line(Conversation().say(text, label))


@pytest.mark.parametrize(
    ("text", "label", "words"),
    [
        ("sảy thai 8 tuần được nghỉ mấy ngày", MISCARRIAGE, "tối đa 20 ngày"),
        ("nghỉ ốm 4 ngày được bao nhiêu phần trăm", SICKNESS, "75%"),
        ("đi làm bị trừ bao nhiêu phần trăm bảo hiểm", RATES, "10,5%"),
        ("thẻ hưu trí được trả bao nhiêu phần trăm", SHARE, "95%"),
        ("khám dưới bao nhiêu thì được trả hết", LOW_COST, "379.500"),
    ],
)
def test_without_an_amount_the_words_answer(text: str, label: tuple[str, float], words: str) -> None:
    said = Conversation().say(text, label)
    assert said.turn["outcome"] == "answered"
    assert words in said.text


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("khám trái tuyến hết 2 triệu thẻ 80% trả bao nhiêu", SHARE),
        ("khám ngoại trú hết 2 triệu trả bao nhiêu", OUTPATIENT),
        ("khám theo yêu cầu hết 2 triệu trả bao nhiêu", SHARE),
        ("người dân tộc thiểu số nằm viện hết 2 triệu trả bao nhiêu", SHARE),
    ],
)
def test_where_the_share_depends_on_what_is_not_told_no_share_is_given(
    text: str, label: tuple[str, float]
) -> None:
    said = Conversation().say(text, label)
    assert said.turn["outcome"] == "answered"
    assert not any(
        amount in said.text for amount in ("1.600.000", "400.000 đồng, anh", "800.000", "Quỹ BHYT trả")
    )


def test_small_cost_outside_the_line_goes_to_a_person() -> None:
    said = Conversation().say("tự đến bệnh viện tỉnh khám ngoại trú hết 300 nghìn trả bao nhiêu", OUTPATIENT)
    assert said.turn["escalate"]["reason"] == "uncertain_policy"


def test_the_case_taken_is_said_and_others_are_offered() -> None:
    chat = Conversation()
    said = chat.say("khám hết 1 triệu tôi trả bao nhiêu", SHARE)
    assert "200.000 đồng" in said.text
    assert "thẻ hộ gia đình" in said.text and "khám đúng nơi" in said.text
    assert "Thẻ hưu trí" in said.buttons
    assert "50.000 đồng" in first_line(chat.say("Nếu là thẻ hưu trí thì sao?", ("follow_up", 0.9)))


def test_age_of_an_adult_leaves_the_card_open() -> None:
    said = Conversation().say("mẹ tôi 80 tuổi nằm viện hết 10 triệu trả bao nhiêu", SHARE)
    assert "2.000.000 đồng" in first_line(said) and "thẻ hộ gia đình" in said.text


def test_salary_is_asked_for_and_the_days_are_kept() -> None:
    chat = Conversation()
    asked = chat.say("sảy thai 8 tuần nghỉ 15 ngày tính được bao nhiêu tiền", DAILY)
    assert asked.turn["outcome"] == "asked"
    assert "lương bình quân" in asked.text
    assert "4.500.000 đồng" in first_line(chat.say("9 triệu ạ", ("inform", 0.9)))  # 300,000 × 15


def test_other_days_go_on() -> None:
    chat = Conversation()
    chat.say("ốm 4 ngày lương 9tr6", SICKNESS)
    assert "1.800.000 đồng" in first_line(chat.say("6 ngày thì sao", ("follow_up", 0.9)))  # 300,000 × 6


def test_more_days_than_the_law_gives_names_the_bound() -> None:
    said = Conversation().say("sảy thai 8 tuần nghỉ 30 ngày lương 9 triệu", DAILY)
    assert "nhiều nhất 20 ngày" in said.text
    assert "9.000.000 đồng" not in said.text


def test_rate_collected_is_said_with_caution() -> None:
    said = Conversation().say("lương đóng 8 triệu bị trừ bao nhiêu", RATES)
    assert "640.000" in said.text and "120.000" in said.text and "80.000" in said.text
    assert "1.720.000 đồng" in said.text
    assert "cần cơ quan BHXH xác nhận" in said.text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("thẻ 80% khám hết 500k", {"benefit_percent": 80}),
        ("thẻ bhyt mức hưởng 95 phần trăm", {"benefit_percent": 95}),
        ("thẻ được hưởng 100% không", {}),
        ("thẻ gd hưởng 80 hay 100%", {}),
        ("phải trả 20%", {}),
        ("bị thai lưu 12 tuần nghỉ 10 ngày", {"kind": "miscarriage", "days": 10}),
        ("đi khám thai thì phát hiện thai chết lưu", {"kind": "miscarriage"}),
        ("khám bầu 2 ngày", {"kind": "antenatal", "days": 2}),
        ("trợ cấp hưu trí xã hội", {"card": "social_pensioner"}),
        ("không có giấy chuyển tuyến", {"place": "outside_line"}),
        ("vượt tuyến lên bv tỉnh nằm viện", {"place": "outside_line"}),
        ("không đúng nơi đăng ký", {"place": "outside_line"}),
        ("khám đúng tuyến, có phiếu chuyển", {"place": "in_line"}),
        ("khám ở trạm y tế", {"place": "primary_care"}),
    ],
)
def test_what_is_read_from_a_message(text: str, told: dict[str, object]) -> None:
    assert leave_and_visit(text) == told
