"""Two questions in one message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vietnamese.segments import split_questions

WHOLE = [
    "mức đóng bao nhiêu",
    "nhà em có bốn người cùng mua thì tổng bao nhiêu tiền, và mỗi người là bao nhiêu ạ",
    "mức 1.500.000 đồng đóng 6 tháng hết bao nhiêu?",
    "chào ad",
    "em cảm ơn",
    "Dạ",
    "Em làm công ty 5 năm rồi nghỉ. Giờ về quê nuôi tôm. Muốn đóng tiếp thì làm sao?",
    "Bao nhiêu tiền vậy? Em ở xã đảo, mức 2 triệu",
    "thẻ 80% hả ad? Đúng không ạ?",
    "sinh 01.07.2026 được mấy tháng",
    "Luật số 41/2024/QH15. quy định gì",
    "Tp. Hồ Chí Minh nộp ở đâu",
    "hồ sơ rút một lần\nmức hưởng",
    "dạ cho em hỏi lương 4 triệu 9 được bao nhiêu",
    "cho em hỏi thêm là mua ở đâu",
    "bhxh.gov.vn vào sao không được",
    "vợ chồng em và hai đứa nhỏ mua thẻ hết bao nhiêu",
]

PARTED = [
    (
        "bhyt 4 người bao nhiêu? khi nào thẻ có hiệu lực?",
        ["bhyt 4 người bao nhiêu?", "khi nào thẻ có hiệu lực?"],
    ),
    ("bhyt 4 nguoi bn\nthe co hieu luc khi nao", ["bhyt 4 nguoi bn", "the co hieu luc khi nao"]),
    ("mức 1.500.000 đóng bao nhiêu; hộ nghèo thì sao", ["mức 1.500.000 đóng bao nhiêu", "hộ nghèo thì sao"]),
    ("muc 2tr dong bn voi lai nop o dau", ["muc 2tr dong bn", "voi lai nop o dau"]),
    (
        "Em sinh mổ nghỉ bao lâu ngoài ra chồng em nghỉ mấy ngày",
        ["Em sinh mổ nghỉ bao lâu", "ngoài ra chồng em nghỉ mấy ngày"],
    ),
    ("đóng 1tr5 hết bn và cho hỏi nộp ở đâu", ["đóng 1tr5 hết bn", "cho hỏi nộp ở đâu"]),
    (
        "mua thẻ ở đâu, cho em hỏi thêm thẻ dùng được ngay không",
        ["mua thẻ ở đâu", "cho em hỏi thêm thẻ dùng được ngay không"],
    ),
    ("đóng tự nguyện bao nhiêu còn nữa có thẻ không", ["đóng tự nguyện bao nhiêu", "còn nữa có thẻ không"]),
    (
        "Mức đóng là bao nhiêu. Có được hỗ trợ không ạ",
        ["Mức đóng là bao nhiêu.", "Có được hỗ trợ không ạ"],
    ),
    (
        "Em sinh mổ. Được nghỉ bao nhiêu ngày? Chồng được mấy ngày?",
        ["Em sinh mổ. Được nghỉ bao nhiêu ngày?", "Chồng được mấy ngày?"],
    ),
    (
        "thẻ hộ gia đình một năm bao nhiêu tiền và mua xong bao lâu thì dùng được",
        ["thẻ hộ gia đình một năm bao nhiêu tiền", "mua xong bao lâu thì dùng được"],
    ),
    ("đk lãnh thất nghiệp là j vs lãnh đc mấy tháng ạ", ["đk lãnh thất nghiệp là j", "lãnh đc mấy tháng ạ"]),
    ("mức đóng bn? 6 tháng?", ["mức đóng bn?", "6 tháng?"]),
]

TRIMMED = [
    ("Chào ad. Mức đóng bao nhiêu?", ["Mức đóng bao nhiêu?"]),
    ("dạ em chào ad ơi! mức đóng bao nhiêu ạ", ["mức đóng bao nhiêu ạ"]),
    ("Mức đóng bao nhiêu? Em cảm ơn ad nhiều ạ", ["Mức đóng bao nhiêu?"]),
    ("", []),
    ("   ", []),
]


@pytest.mark.parametrize("text", WHOLE)
def test_one_question_stays_whole(text: str) -> None:
    assert split_questions(text) == [text]


@pytest.mark.parametrize(("text", "questions"), PARTED)
def test_two_questions_are_parted(text: str, questions: list[str]) -> None:
    assert split_questions(text) == questions


@pytest.mark.parametrize(("text", "questions"), TRIMMED)
def test_greetings_and_thanks_are_left_out(text: str, questions: list[str]) -> None:
    assert split_questions(text) == questions


def test_at_most_three_and_nothing_lost() -> None:
    text = "mức đóng bn? nộp ở đâu? khi nào nộp? cần giấy gì? có hỗ trợ không?"
    questions = split_questions(text)
    assert len(questions) == 3
    assert " ".join(questions) == text


@given(st.text(max_size=120))
def test_segments_are_parts_of_the_text(text: str) -> None:
    import unicodedata

    composed = unicodedata.normalize("NFC", text)
    questions = split_questions(text)
    assert len(questions) <= 3
    assert all(question and question in composed for question in questions)
    assert bool(questions) == bool(composed.strip())
