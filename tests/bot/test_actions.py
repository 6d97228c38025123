"""Conversations as citizens have them: stated defaults, follow-ups, corrections, questions in between."""

from __future__ import annotations

import pytest

from knowledge_base.loading import knowledge_base
from tests.bot.talking import Conversation

CONTRIBUTION = ("ask_topic/voluntary.calculate", 0.9)
HOUSEHOLD = ("ask_topic/health.household_calculate", 0.9)
MATERNITY = ("ask_topic/maternity.calculate", 0.9)


def test_everything_in_one_message_is_worked_out_at_once() -> None:
    said = Conversation().say("dong bhxh tu nguyen muc 5tr dien binh thuong 1 thang bn", CONTRIBUTION)
    assert "1.034.000 đồng" in said.text
    assert said.turn["outcome"] == "answered"
    assert said.turn["topics"] == ["voluntary.calculate"]
    assert any(citation["source"] == "law_41_2024" for citation in said.turn["citations"])
    assert "21/11/2026" in said.text


def test_default_group_is_stated_and_others_are_offered() -> None:
    said = Conversation().say("đóng tự nguyện mức 5 triệu mỗi tháng bao nhiêu", CONTRIBUTION)
    assert "diện bình thường" in said.text
    assert "Hộ cận nghèo" in said.buttons


def test_income_is_asked_for_and_a_bare_value_answers() -> None:
    chat = Conversation()
    asked = chat.say("tính giúp em tiền đóng bhxh tự nguyện", CONTRIBUTION)
    assert asked.turn["outcome"] == "asked"
    assert "mức thu nhập" in asked.text
    answered = chat.say("5 triệu ạ", ("inform", 0.9))
    assert "1.034.000 đồng" in answered.text


def test_correction_replaces_the_value_and_keeps_the_rest() -> None:
    chat = Conversation()
    chat.say("hộ cận nghèo đóng mức 3 triệu thì bao nhiêu", CONTRIBUTION)
    said = chat.say("à nhầm, 5 triệu", ("correct", 0.9))
    assert "968.000 đồng" in said.text  # 22 % × 5,000,000 − 132,000


def test_question_in_between_is_answered_and_the_form_goes_on() -> None:
    chat = Conversation()
    chat.say("tính giúp em tiền đóng bhxh tự nguyện", CONTRIBUTION)
    between = chat.say("mà đóng ở đâu vậy", ("ask_topic/voluntary.where_to_pay", 0.9))
    assert between.turn["topics"] == ["voluntary.where_to_pay"]
    back = chat.say("mức 5 triệu thì bao nhiêu", CONTRIBUTION)
    assert "1.034.000 đồng" in back.text


def test_household_of_four_for_a_year() -> None:
    said = Conversation().say("bhyt hộ gia đình 4 người mua 1 năm hết bao nhiêu", HOUSEHOLD)
    assert "3.825.360 đồng" in said.text
    for amount in ("1.366.200", "956.340", "819.720", "683.100"):
        assert amount in said.text
    assert "Nghị định 188/2025" in said.text


@pytest.mark.parametrize(
    ("follow_up", "amount"),
    [("thế còn người thứ 3?", "819.720"), ("6 tháng thì sao?", "1.912.680"), ("5 người cơ", "4.371.840")],
)
def test_short_follow_up_is_read_against_the_household(follow_up: str, amount: str) -> None:
    chat = Conversation()
    chat.say("bhyt hộ gia đình 4 người mua 1 năm hết bao nhiêu", HOUSEHOLD)
    assert amount in chat.say(follow_up, ("follow_up", 0.9)).text


def test_button_of_another_period_keeps_the_household() -> None:
    chat = Conversation()
    chat.say("bhyt hộ gia đình 4 người mua 1 năm hết bao nhiêu", HOUSEHOLD)
    assert "1.912.680" in chat.say("Mua 6 tháng thì bao nhiêu?", HOUSEHOLD).text


def test_second_child_from_july_2026() -> None:
    said = Conversation().say("sinh con thu 2 thang 8/2026 luong dong bh 18tr duoc bao nhieu", MATERNITY)
    assert "131.060.000 đồng" in said.text


def test_twins_as_follow_up() -> None:
    chat = Conversation()
    chat.say("lương đóng 18 triệu sinh con đầu tháng 8/2026 được bao nhiêu", MATERNITY)
    assert "136.120.000 đồng" in chat.say("nếu sinh đôi?", ("follow_up", 0.9)).text


def test_two_questions_get_two_answers_in_order() -> None:
    said = Conversation().say(
        "Mất thẻ bhyt thì làm lại ở đâu? Đóng bhxh tự nguyện mỗi tháng bao nhiêu?",
        ("ask_topic/health.lost_card", 0.5),
        parts=[("ask_topic/health.lost_card", 0.9), ("ask_topic/voluntary.contribution_level", 0.9)],
    )
    assert said.turn["topics"] == ["health.lost_card", "voluntary.contribution_level"]
    assert len(said.texts) == 2


def test_unclear_question_is_asked_back_once_then_goes_to_a_person() -> None:
    chat = Conversation()
    close = (("ask_topic/voluntary.contribution_level", 0.25), ("ask_topic/health.household_premium", 0.2))
    first = chat.say("đóng bao nhiêu", *close)
    assert first.turn["outcome"] == "asked"
    assert "Gặp nhân viên" in first.buttons
    second = chat.say("thì đóng đó", *close)
    assert second.turn["escalate"]["reason"] == "not_understood"


def test_tapped_button_means_its_topic_whatever_the_ranking() -> None:
    said = Conversation().say(
        "Đóng BHXH tự nguyện mỗi tháng bao nhiêu tiền?", ("ask_topic/health.lost_card", 0.9)
    )
    assert said.turn["topics"] == ["voluntary.contribution_level"]


def test_an_announced_change_is_told_before_its_day_and_not_from_it_on() -> None:
    question = ("năm 2027 mức đóng bhxh tự nguyện có tăng không", ("ask_topic/voluntary.level_2027", 0.9))
    before = Conversation().say(*question)
    assert before.turn["outcome"] == "answered"
    assert "484.000 đồng" in before.text and "cần cơ quan BHXH xác nhận" in before.text
    from_its_day = Conversation(on="2027-01-05").say(*question)
    assert from_its_day.turn["outcome"] == "escalated"
    assert "484.000" not in from_its_day.text


def test_day_without_confirmed_figure_gives_no_figure_and_a_person() -> None:
    said = Conversation(on="2027-01-05").say("đóng tự nguyện mức 5 triệu 1 tháng bao nhiêu", CONTRIBUTION)
    assert said.turn["outcome"] == "escalated"
    assert said.turn["escalate"]["reason"] == "uncertain_policy"
    assert "1.034.000" not in said.text


def test_past_year_is_answered_by_its_law() -> None:
    said = Conversation().say("năm 2024 đóng tự nguyện mức 1tr5 mỗi tháng bao nhiêu", CONTRIBUTION)
    assert "297.000 đồng" in said.text  # 330,000 − 33,000
    assert "31/12/2024" in said.text


def test_year_of_a_story_does_not_move_the_day() -> None:
    said = Conversation().say(
        "em đóng từ năm 2018 giờ mức đóng tự nguyện bao nhiêu",
        ("ask_topic/voluntary.contribution_level", 0.9),
    )
    assert "264.000" in said.text
    assert said.turn["as_of"] == "2026-11-21"


def test_procedure_asked_with_a_past_year_is_answered_as_of_today() -> None:
    said = Conversation().say("năm 2019 em nghỉ, đăng ký lại ở đâu", ("ask_topic/voluntary.register", 0.9))
    assert said.turn["outcome"] == "answered"


def test_personal_record_says_how_and_opens_a_case() -> None:
    said = Conversation().say(
        "check giúp thẻ bhyt của tôi còn hạn không", ("ask_topic/health.card_lookup", 0.9)
    )
    assert said.turn["escalate"]["reason"] == "personal_record"
    assert "VssID" in said.text


def test_asking_for_a_person_opens_a_case_without_a_menu() -> None:
    said = Conversation().say("cho tôi gặp nhân viên", ("ask_person", 0.9))
    assert said.turn["escalate"]["reason"] == "asked_for_person"
    assert said.buttons == []


def test_what_was_understood_goes_with_the_hand_over() -> None:
    said = Conversation().say("cận nghèo lương 5tr cho tôi gặp nhân viên", ("ask_person", 0.9))
    assert said.turn["entities"] == [
        {"name": "group", "value": "near_poor", "text": "cận nghèo"},
        {"name": "amount", "value": 5_000_000, "text": "5tr"},
    ]


def test_out_of_scope_is_declined_without_policy() -> None:
    said = Conversation().say("thủ tục làm hộ chiếu", ("out_of_scope/administrative", 0.9))
    assert said.turn["outcome"] == "declined"
    assert said.turn["topics"] == []


def test_repeated_question_offers_a_person() -> None:
    chat = Conversation()
    chat.say("mức đóng bhxh tự nguyện", ("ask_topic/voluntary.contribution_level", 0.9))
    again = chat.say("mức đóng bhxh tự nguyện", ("ask_topic/voluntary.contribution_level", 0.9))
    assert again.buttons[0] == "Gặp nhân viên"


def test_thanks_keeps_the_thread() -> None:
    chat = Conversation()
    chat.say("bhyt hộ gia đình 4 người mua 1 năm hết bao nhiêu", HOUSEHOLD)
    assert chat.say("cảm ơn em", ("thanks", 0.9)).turn["outcome"] == "chitchat"
    assert "819.720" in chat.say("còn người thứ 3?", ("follow_up", 0.9)).text


def test_short_answer_counts_even_when_it_looks_out_of_scope() -> None:
    chat = Conversation()
    chat.say("tính giúp em tiền đóng bhxh tự nguyện", CONTRIBUTION)
    assert "1.034.000 đồng" in chat.say("5 triệu", ("out_of_scope/banking", 0.8)).text


def test_follow_up_about_now_drops_the_past_day() -> None:
    chat = Conversation()
    chat.say("năm 2024 đóng tự nguyện mức 1tr5 mỗi tháng bao nhiêu", CONTRIBUTION)
    assert "264.000 đồng" in chat.say("còn bây giờ?", ("follow_up", 0.9)).text


def test_birth_of_a_person_is_no_day_of_the_law() -> None:
    said = Conversation().say(
        "nam sinh 5/1965 bao giờ được nghỉ hưu", ("ask_topic/pension.age_by_birth", 0.9)
    )
    assert said.turn["as_of"] == "2026-11-21"
    assert "61 tuổi 3 tháng" in said.text or "61 tuổi 6 tháng" in said.text or "2026" in said.text


def test_two_people_pay_twice() -> None:
    said = Conversation().say("hai vợ chồng đóng tự nguyện mức 2 triệu mỗi tháng hết bao nhiêu", CONTRIBUTION)
    assert "748.000 đồng" in said.text  # 2 × (440,000 − 66,000)


def test_value_no_calculator_takes_is_answered_in_words() -> None:
    said = Conversation().say("xã đảo đóng bhyt bao nhiêu", ("ask_topic/health.supported_premium", 0.9))
    assert said.turn["topics"] == ["health.supported_premium"]


def test_pension_rate_needs_no_income() -> None:
    said = Conversation().say("nữ đóng 20 năm được bao nhiêu phần trăm", ("ask_topic/pension.amount", 0.9))
    assert "55%" in said.text


def test_missing_months_are_paid_as_such() -> None:
    said = Conversation().say(
        "còn thiếu 12 tháng mức 1tr5 đóng một lần bao nhiêu", ("ask_topic/voluntary.missing_years", 0.9)
    )
    assert "4.040.708" in said.text


def test_father_of_an_uninsured_mother_gets_the_grant_too() -> None:
    said = Conversation().say(
        "vợ nội trợ, chồng lương đóng 12 triệu, sinh thường con đầu tháng 10/2026 được bao nhiêu",
        ("ask_topic/maternity.father_calculate", 0.9),
    )
    assert "7.560.000" in said.text


@pytest.mark.parametrize(
    ("first", "label", "then", "amount"),
    [
        ("mức thấp nhất mỗi tháng bao nhiêu", CONTRIBUTION, "hộ nghèo thì sao ạ", "165.000"),
        (
            "lương đóng 9 triệu sinh con được bao nhiêu",
            MATERNITY,
            "nhầm, lương đóng bảo hiểm có 6tr",
            "41.060.000",
        ),
        ("lương đóng 8 triệu sinh con được bao nhiêu", MATERNITY, "đây là con thứ hai ạ", "61.060.000"),
        ("mức 3 triệu đóng bao nhiêu một tháng", CONTRIBUTION, "đóng 6 tháng một lần", "3.564.000"),
    ],
)
def test_short_message_with_a_value_goes_on(
    first: str, label: tuple[str, float], then: str, amount: str
) -> None:
    chat = Conversation()
    chat.say(first, label)
    unclear = ("ask_topic/related.contribution_salary", 0.4)
    assert amount in chat.say(then, unclear).text


def test_level_with_an_income_is_worked_out() -> None:
    said = Conversation().say(
        "thu nhập 7 triệu đóng theo quý thì một quý mấy tiền", ("ask_topic/voluntary.payment_methods", 0.9)
    )
    assert "4.422.000" in said.text  # 3 × (1,540,000 − 66,000)


def test_withdrawal_of_two_stretches() -> None:
    said = Conversation().say(
        "4 năm trước 2014, 6 năm sau 2014, bình quân 4tr, rút 1 lần được bao nhiêu",
        ("ask_topic/one_off.amount", 0.9),
    )
    assert "72.000.000" in said.text  # (4 × 1.5 + 6 × 2) × 4,000,000


def test_withdrawal_of_a_history_is_adjusted_and_deducted() -> None:
    said = Conversation().say(
        "đóng tự nguyện từ 1/2022 đến 6/2025 mức 1tr5 rút một lần được bao nhiêu",
        ("ask_topic/one_off.amount", 0.9),
    )
    assert "9.744.000" in said.text


def test_monthly_unemployment_benefit_needs_the_salary_alone() -> None:
    said = Conversation().say(
        "lương bình quân 6 tháng cuối 10 triệu thì trợ cấp thất nghiệp mỗi tháng mấy",
        ("ask_topic/unemployment.amount", 0.9),
    )
    assert "6.000.000" in said.text


def test_remaining_copayment_after_the_change() -> None:
    said = Conversation().say(
        "6 tháng đầu năm 2026 tôi đã cùng chi trả 7.020.000, giờ còn bao nhiêu nữa",
        ("ask_topic/health.copay_threshold", 0.9),
    )
    assert "7.590.000" in said.text


def test_mother_at_home_means_the_fathers_benefit() -> None:
    said = Conversation().say(
        "vợ ở nhà nội trợ, tôi đóng lương 9 triệu 6, vợ sinh thường con đầu được bao nhiêu", MATERNITY
    )
    assert "7.060.000" in said.text


@pytest.mark.parametrize(
    ("text", "topic", "figure"),
    [
        (
            "khám ngoại trú hết 500 nghìn thì tôi trả bao nhiêu",
            "health.outside_line_outpatient",
            "14.680.000",
        ),
        ("đi khám thai lương đóng 9tr6 thì được trả bao nhiêu", "maternity.antenatal_visits", "62.660.000"),
        ("sảy thai nghỉ 20 ngày, lương đóng 6tr được bao nhiêu", "maternity.miscarriage", "41.060.000"),
    ],
)
def test_an_amount_is_never_put_into_another_benefit(text: str, topic: str, figure: str) -> None:
    assert figure not in Conversation().say(text, (f"ask_topic/{topic}", 0.9)).text


def test_average_income_named_as_such_is_not_adjusted_again() -> None:
    said = Conversation().say(
        "đóng 10 năm từ 2015 đến 2024 bình quân đã nhân hệ số 7 triệu rút một lần được bao nhiêu",
        ("ask_topic/one_off.amount", 0.9),
    )
    assert "140.000.000" in said.text


def test_twins_of_the_voluntary_grant() -> None:
    said = Conversation().say(
        "sinh đôi đóng tự nguyện được 2 triệu hay 4 triệu", ("ask_topic/maternity.voluntary_grant", 0.9)
    )
    assert "4.000.000" in said.text


def test_copayment_of_a_stretch_of_months_is_about_now() -> None:
    said = Conversation().say(
        "đầu năm đến tháng 6 tôi cùng chi trả 7.020.000, còn phải trả bao nhiêu nữa",
        ("ask_topic/health.copay_threshold", 0.9),
    )
    assert "7.590.000 đồng" in said.text


def test_threshold_of_a_past_month_is_told_without_an_amount() -> None:
    said = Conversation().say(
        "tháng 5/2026 ngưỡng cùng chi trả trong năm là bao nhiêu", ("ask_topic/health.copay_threshold", 0.9)
    )
    assert "14.040.000" in said.text


def test_lowest_level_is_remembered_for_another_group() -> None:
    chat = Conversation()
    chat.say("mức đóng thấp nhất là bao nhiêu", ("ask_topic/voluntary.contribution_level", 0.9))
    assert "165.000" in chat.say("hộ nghèo thì sao ạ", ("follow_up", 0.9)).text


def test_hearts_are_no_follow_up() -> None:
    chat = Conversation()
    chat.say("dưỡng sức sau sinh được mấy ngày", ("ask_topic/maternity.recovery_leave", 0.9))
    assert chat.say("❤️😘", ("out_of_scope/gibberish", 0.5)).turn["topics"] == []


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("vợ em lương đóng bh 8tr sinh ngày 5/12 này được nhận bao nhiêu tiền", "maternity.calculate"),
        ("vk lương đóng bh 8tr đẻ tháng 12, em được nhận bao nhiêu", "maternity.father_calculate"),
        ("vợ sinh tháng 12, chồng lương 8tr được bao nhiêu", "maternity.father_calculate"),
    ],
)
def test_whose_salary_it_is_decides_whose_benefit_is_worked_out(text: str, topic: str) -> None:
    assert Conversation().say(text, ("ask_topic/maternity.father_calculate", 0.9)).turn["topics"] == [topic]


@pytest.mark.parametrize(
    ("text", "label", "total"),
    [
        ("trong đó có 1 đứa học lớp 3", "out_of_scope/study_technology", "3.825.360"),
        ("trừ bà nội ra vì bà có thẻ rồi", "ask_topic/health.elderly", "3.825.360"),
        ("trong đó có 2 cháu dưới 6 tuổi", "ask_topic/health.child_under_six", "3.142.260"),
    ],
)
def test_who_has_a_card_is_taken_from_the_household_counted_before(text: str, label: str, total: str) -> None:
    chat = Conversation()
    before = chat.say("nhà 5 người mua bhyt hết nhiêu", ("ask_topic/health.household_calculate", 0.9))
    assert "4.371.840" in before.text
    assert total in chat.say(text, (label, 0.8)).text


def test_one_more_than_nobody_counted_is_not_added_to_a_household_told_later() -> None:
    chat = Conversation()
    chat.say("thêm 1 người nữa thì sao", ("ask_topic/health.household_calculate", 0.9))
    later = chat.say("nhà 5 người", ("ask_topic/health.household_calculate", 0.9))
    assert "4.371.840" in later.text


def test_a_pupil_without_a_household_is_no_part_of_one() -> None:
    said = Conversation().say("trong đó có 1 đứa học lớp 3", ("out_of_scope/study_technology", 0.8))
    assert said.turn["outcome"] == "declined"


def test_a_delay_is_no_time_insured() -> None:
    chat = Conversation()
    chat.say("đóng bhtn 30 tháng lương 7 triệu được bao nhiêu", ("ask_topic/unemployment.amount", 0.9))
    late = chat.say("nộp quá hạn 3 tháng thì sao", ("ask_topic/unemployment.deadline", 0.9))
    assert "Chưa đủ điều kiện" not in late.text


def test_salary_of_the_writer_whose_wife_gives_birth_is_the_fathers() -> None:
    calculate = ("ask_topic/maternity.calculate", 0.9)
    said = Conversation().say("vk e mổ đẻ con đầu, e lương 8tr thì đc bn", calculate)
    assert "2.333.333 đồng" in said.text
    said = Conversation().say("vợ em sinh con đầu, vợ em lương 8tr thì được bao nhiêu", calculate)
    assert "53.060.000 đồng" in said.text


def test_salary_after_the_conditions_of_a_birth_is_worked_out_for_the_birth() -> None:
    chat = Conversation()
    chat.say("đóng 8 tháng rồi sinh có được thai sản không", ("ask_topic/maternity.eligibility", 0.9))
    assert "47.060.000 đồng" in chat.say("lương 7 triệu thì được nhiêu", ("follow_up", 0.5)).text


def test_birth_told_of_the_mother_is_the_fathers_too() -> None:
    chat = Conversation()
    chat.say("vợ em sinh đôi được nghỉ mấy tháng", ("ask_topic/maternity.multiple_births", 0.9))
    chat.say("chồng nghỉ mấy ngày", ("ask_topic/maternity.father_leave", 0.9))
    assert "3.750.000 đồng" in chat.say("lương em 9 triệu thì được bao nhiêu", ("follow_up", 0.5)).text


def test_card_of_a_small_child_is_free_whoever_buys() -> None:
    said = Conversation().say("con 5 tuổi có phải mua thẻ theo hộ không", ("ask_topic/health.elderly", 0.9))
    assert said.turn["topics"] == ["health.child_under_six"]


def test_place_of_a_visit_is_kept_for_its_cost() -> None:
    chat = Conversation()
    chat.say("tự lên bệnh viện trung ương nằm viện được mấy %", ("ask_topic/health.central_hospital", 0.9))
    costs = chat.say("hết 20 triệu thì bảo hiểm trả bao nhiêu", ("ask_topic/health.benefit_rate", 0.5))
    assert "6.400.000 đồng" in costs.text


def test_case_of_a_birth_without_a_question_is_worked_out() -> None:
    said = Conversation().say("em sinh ngày 15/6/2026 lương 10 triệu con thứ 2", ("inform", 0.7))
    assert "64.680.000 đồng" in said.text


def test_circumstances_of_the_father_add_up() -> None:
    chat = Conversation()
    chat.say("vợ sinh thì chồng được nghỉ mấy ngày", ("ask_topic/maternity.father_leave", 0.9))
    assert "7 ngày làm việc" in chat.say("còn sinh mổ?", ("ask_topic/maternity.leave_length", 0.6)).text
    paid = chat.say("lương đóng bảo hiểm 12 triệu thì được bao nhiêu tiền", MATERNITY)
    assert "3.500.000 đồng" in paid.text


@pytest.mark.parametrize(
    ("text", "amount"),
    [("còn cận nghèo?", "968.000"), ("tôi thuộc hộ cận nghèo", "968.000"), ("bhyt hộ cận nghèo", "34.155")],
)
def test_group_goes_to_what_is_discussed_unless_another_subject_is_named(text: str, amount: str) -> None:
    chat = Conversation()
    chat.say("đóng tự nguyện mức 5 triệu mỗi tháng bao nhiêu", CONTRIBUTION)
    assert amount in chat.say(text, ("ask_topic/health.near_poor", 0.95)).text


def test_message_that_fits_any_subject_is_about_the_one_discussed() -> None:
    chat = Conversation()
    chat.say("đóng 3 năm thì hưởng thất nghiệp mấy tháng", ("ask_topic/unemployment.duration", 0.9))
    told = chat.say(
        "nộp hồ sơ ở đâu",
        ("out_of_scope/administrative", 0.67),
        ("ask_topic/lookup.online_filing", 0.2),
        by_subject={"unemployment": "ask_topic/unemployment.where_and_how"},
    )
    assert told.turn["topics"] == ["unemployment.where_and_how"]


def test_now_after_the_past_is_answered_by_the_present_rule() -> None:
    chat = Conversation()
    chat.say("năm 2020 nhà nước hỗ trợ mấy phần trăm", ("ask_topic/voluntary.support_history", 0.9))
    assert chat.say("còn bây giờ?", ("follow_up", 0.9)).turn["topics"] == ["voluntary.state_support"]


@pytest.mark.parametrize(
    ("text", "topic", "answered"),
    [
        ("tra giúp em mã số bhxh với", "lookup.number", "lookup.number"),
        ("kiểm tra dùm tui đăng ký khám ở đâu", "health.registered_facility_choice", "health.card_lookup"),
    ],
)
def test_who_asks_to_be_looked_up_gets_a_case(text: str, topic: str, answered: str) -> None:
    said = Conversation().say(text, (f"ask_topic/{topic}", 0.9))
    assert said.turn["topics"] == [answered]
    assert said.turn["outcome"] == "escalated"


def test_level_above_the_ceiling_is_not_affirmed() -> None:
    said = Conversation().say(
        "chọn thu nhập 70 triệu đóng tự nguyện được không", ("ask_topic/voluntary.who", 0.5)
    )
    assert "50.600.000" in said.text


def test_more_is_worked_out_in_the_scheme_discussed() -> None:
    chat = Conversation()
    chat.say("đóng đủ 6 tháng sinh con được bao nhiêu", ("ask_topic/maternity.voluntary_conditions", 0.9))
    assert "4.000.000" in chat.say("sinh đôi thì sao", ("ask_topic/maternity.multiple_births", 0.6)).text


def test_twins_by_caesarean_give_the_father_fourteen_days() -> None:
    said = Conversation().say(
        "vợ em sinh đôi phải mổ thì em nghỉ được mấy ngày", ("ask_topic/maternity.father_leave", 0.9)
    )
    assert "14 ngày làm việc" in said.text


def test_month_an_amount_is_counted_by_is_no_period() -> None:
    said = Conversation().say("đóng bhxh tự nguyện 1tr5 1 tháng hộ cận nghèo 6 tháng bao nhiêu", CONTRIBUTION)
    assert "1.188.000 đồng" in said.text


def test_contribution_with_an_amount_is_no_grant_for_a_birth() -> None:
    said = Conversation().say(
        "dong tn 2tr 3 thang 1 lan bao nhieu", ("ask_topic/maternity.voluntary_grant", 0.4)
    )
    assert "1.122.000 đồng" in said.text


def test_children_at_school_do_not_pay_with_the_household() -> None:
    said = Conversation().say(
        "vợ chồng với 3 đứa con mua bhyt, 2 đứa đi học rồi thì hết bao nhiêu", HOUSEHOLD
    )
    assert "Cả nhà 3 người" in said.text
    assert "thẻ riêng" in said.text


def test_who_has_a_card_does_not_pay_with_the_household() -> None:
    said = Conversation().say("nhà 3 người, 1 người có thẻ công ty, mua bhyt hết bao nhiêu", HOUSEHOLD)
    assert "2 người" in said.text


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("nhà 7 khẩu, 2 khẩu là trẻ dưới 6 tuổi, còn lại mua hết bao nhiêu", "Cả nhà 5 người"),
        ("6 người: ông bà hưởng lương hưu, 2 cháu học sinh, hỏi tiền mua bhyt", "Cả nhà 2 người"),
        ("4 người, chồng có thẻ công ty, con trai lớp 7, tôi với mẹ mua hết bao nhiêu", "Cả nhà 2 người"),
        ("nhà 4 khẩu, thằng lớn sinh viên, con út mới 4 tuổi, vợ chồng mua hết nhiêu", "Cả nhà 2 người"),
        ("nhà 4 người, mẹ chưa có bhyt, mua hết bao nhiêu", "Cả nhà 4 người"),
        ("hai vợ chồng đóng rồi, giờ mua thêm cho mẹ thì bao nhiêu", "Người thứ 3"),
        ("nhà mua 3 thẻ rồi giờ thêm đứa em thì nó đóng nhiêu", "Người thứ 4"),
        ("chồng mua hồi tháng 2 rồi, hôm nay em mua thì em đóng bao nhiêu", "956.340 đồng"),
    ],
)
def test_who_pays_of_a_household(text: str, answer: str) -> None:
    assert answer in Conversation().say(text, HOUSEHOLD).text


def test_one_more_is_added_to_the_household() -> None:
    chat = Conversation()
    chat.say("bhyt nhà 3 người bao nhiêu", HOUSEHOLD)
    assert "Cả nhà 4 người" in chat.say("thêm một người nữa", ("follow_up", 0.7)).text


def test_near_poor_household_pays_for_each() -> None:
    chat = Conversation()
    chat.say("hộ cận nghèo mua bhyt bao nhiêu", ("ask_topic/health.near_poor", 0.9))
    assert "1.639.440 đồng" in chat.say("nhà 4 người", ("inform", 0.5)).text


def test_group_that_only_a_card_is_supported_for() -> None:
    said = Conversation().say(
        "làm ruộng mức sống trung bình mua bhyt bao nhiêu", ("ask_topic/health.supported_premium", 0.9)
    )
    assert "956.340 đồng" in said.text


def test_poor_household_pays_nothing() -> None:
    said = Conversation().say("hộ nghèo 3 người mua bhyt bao nhiêu", HOUSEHOLD)
    assert said.turn["topics"] == ["health.poor_household"]


@pytest.mark.parametrize("topic", [t.id for t in knowledge_base().topics.values()])
def test_any_topic_can_be_followed_by_another_question(topic: str) -> None:
    chat = Conversation()
    chat.say("hỏi", (f"ask_topic/{topic}", 0.9))
    said = chat.say("Cựu chiến binh có phải tự mua thẻ không?", ("ask_topic/health.groups", 0.9))
    assert said.turn["topics"] == ["health.groups"]


def test_one_answer_to_two_questions_is_said_once() -> None:
    text = "vo em sinh mo hom 3/11, em luong dong bh 9tr, em duoc nghi may ngay va nhan bao nhieu tien"
    parts = [("ask_topic/maternity.father_leave", 0.9), ("ask_topic/maternity.father_calculate", 0.9)]
    said = Conversation().say(text, ("ask_topic/maternity.father_calculate", 0.9), parts=parts)
    assert len(said.texts) == 1
    assert "2.625.000" in said.text
