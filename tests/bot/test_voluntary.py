"""The voluntary scheme, pensions, withdrawals and unemployment as citizens ask about them."""

from __future__ import annotations

import pytest

from tests.bot.talking import Conversation

LEVEL = ("ask_topic/voluntary.contribution_level", 0.9)
SUPPORT = ("ask_topic/voluntary.state_support", 0.9)


def test_a_level_of_law_is_nobodys_income() -> None:
    said = Conversation().say("luong co so len 2tr53 vay muc toi thieu dong tu nguyen co tang ko", LEVEL)
    assert said.turn["topics"] == ["voluntary.contribution_level"]
    assert "490.600" not in said.text


def test_more_support_asks_for_no_amount() -> None:
    said = Conversation().say("đóng 10 triệu có được hỗ trợ nhiều hơn đóng 1tr5 không", SUPPORT)
    assert said.turn["topics"] == ["voluntary.state_support"]


def test_support_asked_for_with_an_income_is_not_what_is_paid() -> None:
    support = Conversation().say("đóng mức 5 triệu được hỗ trợ bao nhiêu", SUPPORT)
    assert support.turn["topics"] == ["voluntary.state_support"]
    paid = Conversation().say("có hỗ trợ rồi mức 5 triệu còn đóng bao nhiêu", SUPPORT)
    assert "1.034.000" in paid.text


@pytest.mark.parametrize("topic", ["contribution_level", "calculate", "level_2027"])
def test_next_years_level_is_what_is_announced(topic: str) -> None:
    said = Conversation().say("sang năm mức tối thiểu lên bao nhiêu", (f"ask_topic/voluntary.{topic}", 0.9))
    assert said.turn["topics"] == ["voluntary.level_2027"]
    assert "484.000" in said.text
    assert "96.800" in said.text


def test_former_figures_are_for_who_speaks_of_the_past() -> None:
    history = ("ask_topic/voluntary.level_history", 0.9)
    now = Conversation().say("bhxh tự nguyện thấp nhất bao nhiêu 1 tháng", history)
    assert now.turn["topics"] == ["voluntary.contribution_level"]
    then = Conversation().say("trước đây thấp nhất bao nhiêu", history)
    assert then.turn["topics"] == ["voluntary.level_history"]


def test_floor_named_as_such_is_worked_out() -> None:
    said = Conversation().say(
        "quý này đóng mức sàn thì nộp bao nhiêu", ("ask_topic/voluntary.calculate", 0.9)
    )
    assert "792.000 đồng" in said.text


def test_day_is_left_unsaid_where_nothing_has_changed_since() -> None:
    said = Conversation().say("giữa năm cần tiền có lấy lại được không", ("ask_topic/voluntary.refund", 0.9))
    assert "31/08/2026" not in said.text


def test_uncertain_rule_is_explained_whatever_day_the_story_names() -> None:
    said = Conversation().say(
        "đóng hồi tháng 3/2025 rồi hỗ trợ tăng có tính lại không",
        ("ask_topic/voluntary.support_prepaid", 0.9),
    )
    assert "cán bộ BHXH xác nhận" in said.text


def test_joining_before_a_day_is_a_story() -> None:
    said = Conversation().say(
        "tham gia tự nguyện trước 2021 thì nam mấy tuổi được hưởng",
        ("ask_topic/pension.age_early_member", 0.9),
    )
    assert "60 tuổi" in said.text


def test_unemployment_by_the_month_is_no_length_of_insurance() -> None:
    said = Conversation().say(
        "lương 5tr thì thất nghiệp 1 tháng nhiêu", ("ask_topic/unemployment.amount", 0.9)
    )
    assert "3.000.000 đồng mỗi tháng" in said.text


def test_year_of_birth_alone_gives_both_ends_of_the_year() -> None:
    chat = Conversation()
    said = chat.say("nữ sinh 1969 khi nào nghỉ hưu", ("ask_topic/pension.age_by_birth", 0.9))
    assert "56 tuổi 8 tháng" in said.text
    assert "57 tuổi" in said.text
    exact = chat.say("thế chồng sinh 5/1965", ("follow_up", 0.8))
    assert "61 tuổi 6 tháng" in exact.text
    assert "tháng 12" not in exact.text


def test_what_was_asked_back_may_come_in_a_longer_statement() -> None:
    chat = Conversation()
    chat.say("rút một lần được bao nhiêu", ("ask_topic/one_off.amount", 0.9))
    said = chat.say("em đóng 6 năm bình quân 7 triệu", ("ask_topic/pension.amount", 0.6))
    assert "84.000.000 đồng" in said.text


def test_the_is_no_card_when_it_means_then() -> None:
    chat = Conversation()
    chat.say("đóng trước 3 năm mức 2 triệu hết bao nhiêu", ("ask_topic/voluntary.years_ahead", 0.9))
    said = chat.say("thế 5 năm", ("ask_topic/health.five_years_interruption", 0.99))
    assert said.turn["topics"] == ["voluntary.years_ahead"]


def test_floor_named_first_is_kept_for_the_next_group() -> None:
    chat = Conversation()
    chat.say("bhxh tự nguyện thấp nhất bao nhiêu", LEVEL)
    assert "165.000 đồng" in chat.say("thế hộ nghèo thì sao", ("follow_up", 0.9)).text


def test_month_of_birth_completes_the_year_said_before() -> None:
    chat = Conversation()
    chat.say("tuổi nghỉ hưu của nữ sinh 1971", ("ask_topic/pension.age_by_birth", 0.9))
    assert "tháng 9/2029" in chat.say("sinh tháng 9", ("inform", 0.5)).text
    alone = Conversation().say("nữ sinh tháng 9 khi nào nghỉ hưu", ("ask_topic/pension.age_by_birth", 0.9))
    assert "2086" not in alone.text


@pytest.mark.parametrize(
    ("text", "topic", "answered"),
    [
        (
            "tự nguyện có dưỡng sức sau sinh không",
            "maternity.recovery_leave_conditions",
            "voluntary.not_covered",
        ),
        ("tự nguyện té giàn giáo có chi không", "related.work_accident", "voluntary.accident_insurance"),
        ("công ty đóng rồi, tự nguyện thêm có ốm đau", "related.sickness", "related.sickness"),
    ],
)
def test_voluntary_scheme_answers_for_itself(text: str, topic: str, answered: str) -> None:
    assert Conversation().say(text, (f"ask_topic/{topic}", 0.9)).turn["topics"] == [answered]


def test_short_question_goes_on_about_the_voluntary_scheme() -> None:
    chat = Conversation()
    chat.say("đóng tự nguyện mà chết thì được gì", ("ask_topic/voluntary.death_benefits", 0.9))
    said = chat.say("đóng 4 năm thôi có mai táng không", ("ask_topic/related.funeral_grant", 0.9))
    assert said.turn["topics"] == ["voluntary.death_benefits"]


def test_pension_of_the_old_is_nobodys_income() -> None:
    said = Conversation().say(
        "đang hưởng 500 nghìn hưu trí xã hội có tham gia được không", ("ask_topic/voluntary.who", 0.9)
    )
    assert said.turn["topics"] == ["voluntary.cannot_join"]


def test_level_to_come_is_meant_when_a_level_is_changed() -> None:
    moved = ("ask_topic/voluntary.calculate", 0.9)
    changes = Conversation().say("muốn tăng mức đóng từ 2tr lên 6tr", moved)
    assert changes.turn["topics"] == ["voluntary.change_method"]
    paid = Conversation().say("tăng mức từ 2tr lên 6tr thì mỗi tháng đóng bao nhiêu", moved)
    assert "1.254.000" in paid.text
    law = Conversation().say("lương cơ sở tăng từ 2tr34 lên 2tr53 thì mức đóng bao nhiêu", LEVEL)
    assert law.turn["topics"] == ["voluntary.contribution_level"]
