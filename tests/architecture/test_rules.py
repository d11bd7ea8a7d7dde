"""Every rule of the handbook that is built has a test that bears its number."""

from tools.pages_of_rules import RULES, WAITING, proofs, rules_of, strangers


def test_every_rule_has_a_test() -> None:
    found = proofs()

    assert [rule for rule in RULES if not found[rule]] == []


def test_no_test_names_a_rule_that_is_none() -> None:
    assert strangers(proofs()) == []


def test_what_waits_is_a_part_of_a_rule() -> None:
    assert WAITING.keys() <= RULES.keys()


def test_rules_are_read_from_a_name() -> None:
    assert rules_of("test_m1_07_the_day_before_is_free") == ["M1.7"]
    assert rules_of("test_m15_10_anything") == ["M15.10"]
    assert rules_of("test_m1_10_n13_who_stays_away_is_told") == ["M1.10", "N13"]
    assert rules_of("test_sm2_a_number_is_taken_once") == ["SM2"]
    assert rules_of("test_e13_the_window_goes_on") == ["E13"]
    assert rules_of("test_money_is_whole_fen") == []
    assert strangers({"M1.18": [("a", "b")], "M4.4": []}) == ["M1.18"]
