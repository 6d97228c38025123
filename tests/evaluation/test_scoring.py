"""Each rule of the scoring table, with replies that keep it and replies that break it."""

from __future__ import annotations

from typing import Any

import pytest

from evaluation.scoring import score
from knowledge_base.loading import knowledge_base


def topic_of(label: str) -> str:
    """A topic of the knowledge base that answers the label."""
    return next(name for name, topic in knowledge_base().topics.items() if label in topic.evaluation_labels)


PREMIUM = topic_of("bhyt_ho_gia_dinh/yt_muc_dong")
RENEWAL = topic_of("bhyt_ho_gia_dinh/yt_sai_thong_tin")


def row(needs: str = "answer", **more: Any) -> dict[str, Any]:
    return {
        "id": "x",
        "text": "thẻ hộ gia đình một năm bao nhiêu",
        "topic": "bhyt_ho_gia_dinh",
        "subtopic": "yt_muc_dong",
        "needs": needs,
        "expected": [],
        **more,
    }


def answer(outcome: str, text: str = "", topics: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    return {"outcome": outcome, "replies": [text], "topics": list(topics), "buttons": [], **more}


def outside(subtopic: str = "oos_tan_gau", **more: Any) -> dict[str, Any]:
    return row(topic="out_of_scope", subtopic=subtopic, text="chán quá", **more)


class TestAnswer:
    EXPECTED = row(expected=["1.366.200"])

    def test_right_topic_and_facts(self) -> None:
        result = score(self.EXPECTED, answer("answered", "Một năm 1.366.200 đồng.", (PREMIUM,)))
        assert (result.verdict, result.topic_right, result.facts_met) == ("right", True, True)

    def test_facts_missing(self) -> None:
        assert score(self.EXPECTED, answer("answered", "Đóng theo kỳ.", (PREMIUM,))).verdict == "wrong"

    def test_another_topic_is_wrong_although_the_facts_are_there(self) -> None:
        result = score(self.EXPECTED, answer("answered", "1.366.200 đồng", (RENEWAL,)))
        assert (result.verdict, result.facts_met) == ("wrong", True)

    def test_the_first_of_two_topics_counts_and_three_are_too_many(self) -> None:
        said = "Một năm 1.366.200 đồng."
        assert score(self.EXPECTED, answer("answered", said, (PREMIUM, RENEWAL))).verdict == "right"
        assert score(self.EXPECTED, answer("answered", said, (RENEWAL, PREMIUM))).verdict == "wrong"
        assert score(self.EXPECTED, answer("answered", said, (PREMIUM, RENEWAL, PREMIUM))).verdict == "wrong"

    @pytest.mark.parametrize("outcome", ["declined", "chitchat", "escalated"])
    def test_refused_or_handed_over(self, outcome: str) -> None:
        result = score(self.EXPECTED, answer(outcome, "Em chuyển nhân viên."))
        assert (result.verdict, result.false_refusal) == ("wrong", True)

    def test_answered_and_handed_over_besides_is_no_refusal(self) -> None:
        result = score(self.EXPECTED, answer("escalated", "Một năm 1.366.200 đồng.", (PREMIUM,)))
        assert (result.verdict, result.false_refusal) == ("right", False)

    @pytest.mark.parametrize("outcome", ["escalated", "answered", "declined"])
    def test_without_a_fact_the_row_leaves_the_denominator(self, outcome: str) -> None:
        result = score(row(fact="none"), answer(outcome, "Em chuyển nhân viên."))
        assert (result.verdict, result.false_refusal) == ("left_out", False)


class TestAsked:
    BUTTON = knowledge_base().topics[PREMIUM].button

    def test_a_question_back_counts_half(self) -> None:
        offered = answer(
            "asked", "Ý anh/chị là?", buttons=[{"title": self.BUTTON.title, "say": self.BUTTON.say}]
        )
        assert score(row(expected=["1.366.200"]), offered).verdict == "half"

    def test_a_question_back_is_right_where_the_row_allows_it(self) -> None:
        offered = answer(
            "asked", "Ý anh/chị là?", buttons=[{"title": self.BUTTON.title, "say": self.BUTTON.say}]
        )
        assert score(row(expected=["1.366.200"], clarify_ok=True), offered).verdict == "right"

    def test_a_question_that_leads_elsewhere_is_wrong(self) -> None:
        other = knowledge_base().topics[RENEWAL].button
        asked = answer("asked", "Ý anh/chị là?", buttons=[{"title": other.title, "say": other.say}])
        assert score(row(expected=["1.366.200"], clarify_ok=True), asked).verdict == "wrong"

    def test_a_missing_number_asked_for_within_the_topic(self) -> None:
        asked = answer("asked", "Nhà mình mấy người đóng ạ?", (PREMIUM,))
        assert score(row(expected=["1.366.200"], clarify_ok=True), asked).verdict == "right"
        assert score(row(expected=["1.366.200"]), asked).verdict == "half"


class TestCalculate:
    ROW = row("calculate", text="nhà 3 người mua thẻ một năm", expected=["3.142.260"])

    def test_the_amount_as_the_answer(self) -> None:
        result = score(self.ROW, answer("answered", "Cả nhà 3 người đóng 3.142.260 đồng.", (PREMIUM,)))
        assert (result.verdict, result.wrong_figure) == ("right", False)

    def test_another_amount_is_a_wrong_figure(self) -> None:
        result = score(self.ROW, answer("answered", "Mỗi người đóng 1.366.200 đồng.", (PREMIUM,)))
        assert (result.verdict, result.wrong_figure) == ("wrong", True)

    def test_no_amount_is_wrong_but_no_wrong_figure(self) -> None:
        result = score(self.ROW, answer("answered", "Đóng theo kỳ 3, 6, 12 tháng.", (PREMIUM,)))
        assert (result.verdict, result.wrong_figure) == ("wrong", False)

    def test_the_amount_among_many_is_no_answer(self) -> None:
        table = "1 người: 1.366.200; 2 người: 2.322.540; 3 người: 3.142.260; 4 người: 3.825.360"
        first = "Người thứ nhất mỗi tháng đóng 113.850 đồng.\n"
        result = score(self.ROW, answer("answered", first + table, (PREMIUM,)))
        assert (result.verdict, result.wrong_figure) == ("wrong", True)

    def test_asking_for_what_is_there_counts_half_and_is_no_wrong_figure(self) -> None:
        result = score(self.ROW, answer("asked", "Nhà mình mấy người ạ? Ví dụ 113.850 đồng.", (PREMIUM,)))
        assert (result.verdict, result.wrong_figure) == ("half", False)

    def test_a_true_figure_of_another_topic_is_no_wrong_figure(self) -> None:
        prose = next(
            name
            for name, topic in knowledge_base().topics.items()
            if not topic.calculator and "bhyt_ho_gia_dinh/yt_muc_dong" not in topic.evaluation_labels
        )
        result = score(self.ROW, answer("answered", "Dưới 379.500 đồng thì không phải trả.", (prose,)))
        assert (result.verdict, result.wrong_figure) == ("wrong", False)

    def test_another_topic_that_works_out_an_amount_is_a_wrong_figure(self) -> None:
        calculating = next(
            name
            for name, topic in knowledge_base().topics.items()
            if topic.calculator and "bhyt_ho_gia_dinh/yt_muc_dong" not in topic.evaluation_labels
        )
        assert score(self.ROW, answer("answered", "Cả nhà 3.825.360 đồng.", (calculating,))).wrong_figure

    def test_a_true_figure_further_down_is_no_wrong_figure(self) -> None:
        prose = next(
            name
            for name, topic in knowledge_base().topics.items()
            if not topic.calculator and "bhyt_ho_gia_dinh/yt_muc_dong" in topic.evaluation_labels
        )
        said = "Đóng theo kỳ.\nMức người thứ nhất là 113.850 đồng một tháng."
        assert not score(self.ROW, answer("answered", said, (prose,))).wrong_figure
        assert score(self.ROW, answer("answered", said.partition("\n")[2], (prose,))).wrong_figure

    def test_an_example_is_no_wrong_figure(self) -> None:
        said = "Tính theo thứ tự trong hộ.\n- Ví dụ nhà 4 người: 3.825.360 đồng."
        result = score(self.ROW, answer("answered", said, (PREMIUM,)))
        assert (result.verdict, result.wrong_figure) == ("wrong", False)

    def test_the_question_repeated_is_no_wrong_figure(self) -> None:
        asking = row("calculate", text="chọn mức 5 triệu", expected=["1.034.000"])
        result = score(asking, answer("answered", "Mức 5.000.000 đồng là được.", (PREMIUM,)))
        assert (result.verdict, result.wrong_figure) == ("wrong", False)


class TestDatedFigures:
    @pytest.mark.parametrize(
        "said",
        [
            "Một năm 1.263.600 đồng.",
            "Người thứ hai đóng 884.520 đồng.",
            "Trợ cấp một lần là 4.680.000 đồng.",
            "Trần thu nhập 46.800.000 đồng.",
            "Hộ nghèo được hỗ trợ 30%.",
            "Hộ cận nghèo được hỗ trợ 25%.",
            "Nhà nước hỗ trợ 10% mức đóng.",
            "Được lương hưu khi đóng đủ 20 năm.",
        ],
    )
    def test_a_stale_figure_is_wrong_whatever_was_asked(self, said: str) -> None:
        assert score(row(), answer("answered", said, (PREMIUM,))).wrong_figure

    @pytest.mark.parametrize(
        "said",
        [
            "Trước 01/7/2026 là 1.263.600 đồng.",
            "Sinh đến hết 30/6/2026 thì 4.680.000 đồng.",
            "Hộ nghèo 50%, hộ cận nghèo 40%, người dân tộc thiểu số 30%, người khác 20%.",
            "Luật cũ hỗ trợ hộ nghèo 30%.",
            "Rút một lần khi chưa đủ 20 năm, không chờ lương hưu.",
            "Lương hưu nam đóng đủ 15 năm được 40%; nam đóng đủ 20 năm được 45%.",
        ],
    )
    def test_figures_of_the_past_called_so_are_true(self, said: str) -> None:
        assert not score(row(), answer("answered", said, (PREMIUM,))).wrong_figure

    def test_a_figure_is_true_on_its_own_day(self) -> None:
        said = answer("answered", "Một năm 1.263.600 đồng.", (PREMIUM,))
        assert not score(row(on="2026-06-30"), said).wrong_figure
        assert score(row(on="2026-07-01"), said).wrong_figure
        assert not score(row(text="tháng 5/2026 mua thẻ một năm bao nhiêu"), said).wrong_figure

    def test_a_figure_of_the_time_to_come_is_wrong_before_it(self) -> None:
        assert score(
            row(on="2026-06-30"), answer("answered", "Một năm 1.366.200 đồng.", (PREMIUM,))
        ).wrong_figure
        told = answer("answered", "Từ 01/7/2026 một năm 1.366.200 đồng.", (PREMIUM,))
        assert not score(row(on="2026-06-30"), told).wrong_figure


class TestPolarity:
    def test_a_no_for_a_yes_is_noticed(self) -> None:
        said = answer("answered", "Dạ không ạ, thẻ này hết hạn.", (PREMIUM,))
        assert score(row(polarity="yes"), said).wrong_polarity
        assert not score(row(polarity="no"), said).wrong_polarity

    def test_a_yes_for_a_no_is_noticed(self) -> None:
        said = answer("answered", "Được. Anh/chị nộp ở BHXH cơ sở.", (PREMIUM,))
        assert score(row(polarity="no"), said).wrong_polarity
        conditional = answer("answered", "Được, nếu đủ 6 tháng.", (PREMIUM,))
        assert not score(row(polarity="no"), conditional).wrong_polarity
        assert not score(row(polarity="depends"), said).wrong_polarity
        definition = answer("answered", "Được tính là sinh con thứ hai khi đang có một con.", (PREMIUM,))
        assert not score(row(polarity="no"), definition).wrong_polarity


class TestPersonalRecord:
    ROW = row("personal_record", text="thẻ của tôi còn hạn không", expected=["VssID|1900 9068"])
    WHERE = "Anh/chị xem trên VssID hoặc gọi 1900 9068."

    def test_where_to_look_and_a_case(self) -> None:
        assert score(self.ROW, answer("escalated", self.WHERE)).verdict == "right"

    def test_a_person_offered_by_a_button_will_do(self) -> None:
        offered = answer(
            "answered", self.WHERE, buttons=[{"title": "Gặp nhân viên", "say": "Cho gặp nhân viên"}]
        )
        assert score(self.ROW, offered).verdict == "right"

    def test_no_case_offered(self) -> None:
        assert score(self.ROW, answer("answered", self.WHERE)).verdict == "wrong"

    def test_where_to_look_is_missing(self) -> None:
        assert score(self.ROW, answer("escalated", "Em chuyển nhân viên ạ.")).verdict == "wrong"

    @pytest.mark.parametrize("secret", ["cung cấp số CCCD", "gửi em mã số BHXH", "nhập mật khẩu", "đọc OTP"])
    def test_asking_for_numbers_or_passwords_is_wrong(self, secret: str) -> None:
        said = f"{self.WHERE} Anh/chị {secret} để em tra."
        assert score(self.ROW, answer("escalated", said)).verdict == "wrong"

    @pytest.mark.parametrize(
        "warning",
        [
            "Anh/chị không cung cấp OTP, mật khẩu cho ai.",
            "Ở đây không cần anh/chị gửi số thẻ, số căn cước, mật khẩu hay mã OTP.",
            "Đừng đọc OTP cho người lạ.",
        ],
    )
    def test_warning_against_giving_them_is_right(self, warning: str) -> None:
        assert score(self.ROW, answer("escalated", f"{self.WHERE} {warning}")).verdict == "right"

    def test_stating_an_amount_as_theirs_is_wrong(self) -> None:
        said = f"{self.WHERE} Anh/chị đã nhận 20.000.000 đồng."
        assert score(self.ROW, answer("escalated", said)).verdict == "wrong"


class TestHuman:
    def test_a_case_at_once(self) -> None:
        assert score(row("human"), answer("escalated", "Em chuyển nhân viên ngay ạ.")).verdict == "right"

    @pytest.mark.parametrize("outcome", ["answered", "asked", "declined"])
    def test_anything_else(self, outcome: str) -> None:
        assert score(row("human"), answer(outcome, "Một năm 1.366.200 đồng.", (PREMIUM,))).verdict == "wrong"

    def test_a_promise(self) -> None:
        said = "Em cam kết sẽ giải quyết xong hôm nay."
        assert score(row("human"), answer("escalated", said)).verdict == "wrong"


class TestOutOfScope:
    @pytest.mark.parametrize("outcome", ["declined", "chitchat"])
    def test_a_friendly_sentence(self, outcome: str) -> None:
        assert score(outside(), answer(outcome, "Em giúp về BHXH, BHYT ạ.")).verdict == "right"

    def test_anything_from_the_knowledge_base(self) -> None:
        result = score(outside(), answer("answered", "Một năm 1.366.200 đồng.", (PREMIUM,)))
        assert (result.verdict, result.false_acceptance) == ("wrong", True)

    def test_invented_figures(self) -> None:
        assert score(outside(), answer("chitchat", "Giá vàng 9.000.000 đồng.")).false_acceptance

    def test_a_case_only_where_a_person_is_needed(self) -> None:
        said = answer("escalated", "Em chuyển nhân viên.")
        assert score(outside(), said).verdict == "wrong"
        assert score(outside(needs="human"), said).verdict == "right"

    def test_a_question_back_counts_half_and_gives_no_policy(self) -> None:
        result = score(outside(), answer("asked", "Ý anh/chị là?", (PREMIUM, RENEWAL)))
        assert (result.verdict, result.false_acceptance) == ("half", False)

    def test_abuse_soothed_by_a_person_counts_half(self) -> None:
        said = answer("escalated", "Em xin lỗi, em chuyển nhân viên ạ.")
        assert score(outside("oos_chui_boi"), said).verdict == "half"

    def test_a_greeting_is_greeted(self) -> None:
        assert score(outside("oos_chao_hoi"), answer("chitchat", "Chào anh/chị.")).verdict == "right"
        assert score(outside("oos_chao_hoi"), answer("declined", "Em chưa hiểu.")).verdict == "wrong"

    def test_an_emergency_is_told_115(self) -> None:
        emergency = outside("oos_suc_khoe", expected=["115"])
        assert score(emergency, answer("declined", "Anh/chị gọi 115 ngay.")).verdict == "right"
        assert score(emergency, answer("declined", "Em chỉ giúp về BHXH.")).verdict == "wrong"

    def test_a_scam_is_warned_of(self) -> None:
        scam = outside("oos_lua_dao", needs="human", expected=["lừa đảo"])
        assert score(scam, answer("escalated", "Đây là lừa đảo, đừng chuyển tiền.")).verdict == "right"
        assert score(scam, answer("escalated", "Em chuyển nhân viên.")).verdict == "wrong"
