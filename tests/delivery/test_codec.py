"""The SM4 envelope: published vectors exactly, the fallback against OpenSSL, and every way an envelope can be wrong."""

import json
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.carriers.ems import codec, sm4
from delivery.carriers.ems.errors import BadEnvelope, BadSignature, BadSignKey

KEY = codec.SignKey("U0lNLUtFWS0wMDAwMDAwMQ==")
A_KEY = codec.SignKey("TvaBgrhE46sft3nZlfe7xw==")
A_JSON = '{"language":"zh-CN","orderId":"QIAO-20200618-004"}'
A_SEALED = (
    "|$4|efB6PnjDpgHG4xfrvYlXonyBuMJoGTynkfasopHvbl2u3nmNeP+rznA3DyRwb/2GeZL7I3rL6HKD5+Tv3Uy6x8jIDISbYG8Bg14caH2flYE="
)
B_SEALED = (
    "|$4|yi6bxWBuJicySWEjgXNGbV2ZK9zNTs970rLuLisb2uc0J+hztIiLRzjvX+7qo6EL6gtfSXDAfpv+Si27ImHUIh6X3BsjD7OvI6X/feWE008="
)
C_JSON = (
    '{"waybillNo":"1000000001460","orderNo":"ZW20260101000001","opTime":"2026-01-02 10:15:00","opCode":"704",'
    '"opName":"投递结果反馈-妥投","opDesc":"已签收,本人签收","opOrgProvName":"浙江省","opOrgCity":"杭州市",'
    '"opOrgCode":"31000001","opOrgName":"模拟揽投部","operatorNo":"","operatorName":"","deliverCode":"10"}'
)
C_SEALED = (
    "|$4|yi6bxWBuJicySWEjgXNGbcxkeNvfYbWUa1xF/kycKUQhQJwCYg6KpCqPiVx88DtWZs1VNkeXkhOZixaYpJwdURX+mWbuBsr5lqaPPvItIsE6ks7p"
    "3vFM2OI+EZ73/Sg3DQgZtbA4ETizezb2rT5/RYiQ81HR5UKFl5z6equuTjMpS0IbBvUji49K8vcqWqVa9+ypj7kYUSz+6GTTGIDmKH8KaE0NL6VLvcoMq"
    "OELvAIbIr99KkzlLWpQ8kN99lbWeYKEF548pT80RBzH0eC+WSeUv0q2N+uI3Vr3jgn1/l2RTdDErXRDfbv3MZzmpLpUw+XknuPt4K8f0q5bhUooqmTqcO"
    "sgL8CDv4mX9xRDRrV1Z3ztgul2ZzeMtXPAt/Ci2NU9MobHBAkL5klkzLuXg52LZnkuh0k39qC8fFrm8DDRmrZ3MaN7ubRpjjrSRTQ5"
)
BLOCK = bytes.fromhex("0123456789abcdeffedcba9876543210")
BLOCK_SEALED = "681edf34d206965e86b3e94f536e4246"


def test_vector_a_the_documentation_sample() -> None:
    assert A_KEY.raw.hex() == "4ef68182b844e3ab1fb779d995f7bbc7"
    assert codec.seal_text(A_JSON, A_KEY) == A_SEALED
    assert codec.open_request(A_SEALED, A_KEY) == A_JSON
    assert urlencode({"logitcsInterface": A_SEALED}) == (
        "logitcsInterface=%7C%244%7CefB6PnjDpgHG4xfrvYlXonyBuMJoGTynkfasopHvbl2u3nmNeP%2BrznA3DyRwb%2F2GeZL7I3rL6HKD5%2BTv3Uy6"
        "x8jIDISbYG8Bg14caH2flYE%3D"
    )


def test_vector_b_a_signed_request() -> None:
    assert codec.seal({"waybillNo": "1000000001460", "direction": "0"}, KEY) == B_SEALED


def test_vector_c_an_unsigned_push_in_chinese() -> None:
    assert codec.seal(json.loads(C_JSON), KEY, signed=False) == C_SEALED
    assert codec.open_push(C_SEALED, KEY) == C_JSON


def test_the_standards_own_block() -> None:
    assert codec.encrypt_ecb(BLOCK, BLOCK).hex() == BLOCK_SEALED
    assert sm4.encrypt_ecb(BLOCK, BLOCK).hex() == BLOCK_SEALED
    assert sm4.decrypt_ecb(bytes.fromhex(BLOCK_SEALED), BLOCK) == BLOCK


@given(
    st.binary(min_size=16, max_size=16),
    st.integers(0, 4).flatmap(lambda n: st.binary(min_size=16 * n, max_size=16 * n)),
)
def test_the_fallback_equals_openssl(key, data) -> None:
    sealed = codec.encrypt_ecb(data, key)
    assert sm4.encrypt_ecb(data, key) == sealed
    assert sm4.decrypt_ecb(sealed, key) == data


def test_the_codec_works_without_sm4_in_openssl(monkeypatch) -> None:
    def missing(*_: object) -> None:
        raise codec.UnsupportedAlgorithm("no SM4")

    monkeypatch.setattr(codec, "Cipher", missing)
    assert codec.seal_text(A_JSON, A_KEY) == A_SEALED
    assert codec.open_request(A_SEALED, A_KEY) == A_JSON


@given(st.text())
def test_what_is_sealed_opens_again(text) -> None:
    assert codec.open_request(codec.seal_text(text, KEY), KEY) == text


@pytest.mark.parametrize("text", ["a" * 15, "a" * 16, "a" * 17, "审批结果寄递", "📮邮件", ""])
def test_block_boundaries_chinese_and_emoji(text) -> None:
    assert codec.open_push(codec.seal_text(text, KEY, signed=False), KEY) == text


def test_a_push_may_carry_the_key_or_not() -> None:
    assert codec.open_push(codec.seal_text(C_JSON, KEY, signed=True), KEY) == C_JSON


@pytest.mark.parametrize(
    "sealed",
    [
        "", "abc", A_SEALED.removeprefix("|$4|"), A_SEALED.replace("|$4|", "|$|"), "|$4|", "|$4|***", "|$4|YWJj",
        A_SEALED[:-24], A_SEALED[:-4] + "AAA=",
    ],
)  # fmt: skip
def test_a_broken_envelope_is_refused(sealed) -> None:
    with pytest.raises(BadEnvelope):
        codec.open_request(sealed, A_KEY)


def test_the_wrong_key_is_refused() -> None:
    with pytest.raises(BadEnvelope):
        codec.open_request(A_SEALED, KEY)


def test_a_missing_signature_is_refused() -> None:
    with pytest.raises(BadSignature):
        codec.open_request(codec.seal_text(A_JSON, A_KEY, signed=False), A_KEY)


@pytest.mark.parametrize("text", ["", "no base64!", "c2hvcnQ=", "U0lNLUtFWS0wMDAwMDAwMUFB"])
def test_a_key_that_does_not_hold_sixteen_bytes_is_refused(text) -> None:
    with pytest.raises(BadSignKey):
        _ = codec.SignKey(text).raw


def test_a_key_does_not_show_itself() -> None:
    assert "U0lN" not in repr(KEY)


def test_a_key_of_another_length_is_no_sm4_key() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        sm4.round_keys(b"short")
    with pytest.raises(ValueError, match="whole blocks"):
        sm4.encrypt_ecb(b"short", BLOCK)
