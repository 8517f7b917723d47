"""Alipay and WeChat Pay as their documents show them, in this process: they check our signatures and sign their answers."""

import base64
import json
import secrets
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from app.kernel import clock
from payments.gateways.alipay import AlipayAccount
from payments.gateways.direct import BEIJING, Answer
from payments.gateways.signing import is_signed, sign
from payments.gateways.wechat import WeChatAccount
from payments.ports import Unknown

API_KEY = "0123456789abcdef0123456789abcdef"


@cache
def key(name: str) -> rsa.RSAPrivateKey:
    """One key for each name in this run."""
    return rsa.generate_private_key(65537, 2048)


def private_pem(name: str) -> str:
    return key(name).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_text(name: str) -> str:
    """As Alipay's console shows it: bare base64 of the DER."""
    return base64.b64encode(
        key(name).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ).decode()


def public_pem(name: str) -> str:
    return key(name).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _sorted(values: Mapping[str, str]) -> str:
    return "&".join(f"{n}={values[n]}" for n in sorted(values) if n not in ("sign", "sign_type") and values[n])


class FakeAlipay:
    """Trades by `out_trade_no`; `down` makes it answer nothing, `forge` sign with another key."""

    account = AlipayAccount("2021000000000001", "2088000000000001", private_pem("us"), public_text("alipay"))

    def __init__(self) -> None:
        self.trades: dict[str, dict[str, Any]] = {}
        self.refunds: dict[str, str] = {}
        self.signer = "alipay"
        self.down = False

    def open_page(self, address: str) -> None:
        """What the payer's browser does: the trade exists from now on."""
        values = dict(parse_qsl(urlsplit(address).query))
        whole = "&".join(f"{n}={values[n]}" for n in sorted(values) if n != "sign")
        assert is_signed(key("us").public_key(), whole, values["sign"]), "our signature of the page"
        content = json.loads(values["biz_content"])
        trade = {"trade_no": f"2026{secrets.randbelow(10**20):020d}", "trade_status": "WAIT_BUYER_PAY"}
        self.trades.setdefault(content["out_trade_no"], {**trade, "total_amount": content["total_amount"]})

    def pay(self, address: str, amount: str | None = None) -> None:
        self.open_page(address)
        content = json.loads(dict(parse_qsl(urlsplit(address).query))["biz_content"])
        trade = self.trades[content["out_trade_no"]]
        paid_at = clock.now().astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S")
        trade.update(trade_status="TRADE_SUCCESS", send_pay_date=paid_at)
        if amount:
            trade["total_amount"] = amount

    def __call__(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        if self.down:
            raise Unknown("no answer")
        values = dict(parse_qsl(body.decode()))
        whole = "&".join(f"{n}={values[n]}" for n in sorted(values) if n != "sign")
        assert is_signed(key("us").public_key(), whole, values["sign"]), "our signature"
        told = json.dumps(self._answer(values["method"], json.loads(values["biz_content"])), ensure_ascii=False)
        name = f"{values['method'].replace('.', '_')}_response"
        text = f'{{"{name}":{told},"sign":"{sign(key(self.signer), told)}"}}'
        return Answer(200, {}, text.encode())

    def _answer(self, method: str, asked: dict[str, Any]) -> dict[str, Any]:
        found = self.trades.get(asked.get("out_trade_no", "")) or next(
            (t for t in self.trades.values() if t["trade_no"] == asked.get("trade_no")), None
        )
        if found is None:
            return {
                "code": "40004",
                "msg": "Business Failed",
                "sub_code": "ACQ.TRADE_NOT_EXIST",
                "sub_msg": "交易不存在",
            }
        good = {"code": "10000", "msg": "Success"}
        if method == "alipay.trade.query":
            return {**good, **found, "out_trade_no": asked["out_trade_no"]}
        if method == "alipay.trade.close":
            if found["trade_status"] != "WAIT_BUYER_PAY":
                return {"code": "40004", "sub_code": "ACQ.TRADE_STATUS_ERROR", "sub_msg": "交易状态不合法"}
            found["trade_status"] = "TRADE_CLOSED"
            return good
        if method == "alipay.trade.refund":
            self.refunds.setdefault(asked["out_request_no"], asked["refund_amount"])
            return {**good, "fund_change": "Y"}
        amount = self.refunds.get(asked["out_request_no"])
        done = {"refund_status": "REFUND_SUCCESS", "refund_amount": amount, "gmt_refund_pay": "2026-11-22 10:00:00"}
        return {**good, **(done if amount else {})}

    def notice(self, reference: str, signer: str = "alipay", **changed: str) -> bytes:
        """A notice of a paid trade, as Alipay posts it."""
        trade = self.trades[reference]
        values = {
            "notify_id": "2026112200222100001", "notify_type": "trade_status_sync", "app_id": self.account.app_id,
            "seller_id": self.account.seller_id, "out_trade_no": reference, "trade_no": trade["trade_no"],
            "trade_status": "TRADE_SUCCESS", "total_amount": trade["total_amount"], "charset": "utf-8",
        } | changed  # fmt: skip
        return urlencode({**values, "sign_type": "RSA2", "sign": sign(key(signer), _sorted(values))}).encode()


class FakeWeChat:
    """Orders by `out_trade_no`."""

    account = WeChatAccount(
        "1900000001", "wx8888888888888888", "5157F09EFDC096DE15EBE81A47057A72", "PUB_KEY_ID_0119000000012026",
        private_pem("us"), public_pem("wechat"), API_KEY,
    )  # fmt: skip

    def __init__(self) -> None:
        self.orders: dict[str, dict[str, Any]] = {}
        self.refunds: dict[str, dict[str, Any]] = {}
        self.signer = "wechat"
        self.down = False

    def pay(self, reference: str, total: int | None = None) -> None:
        order = self.orders[reference]
        order.update(
            trade_state="SUCCESS", transaction_id="4200002026112212345", success_time="2026-11-22T10:00:00+08:00"
        )
        if total:
            order["amount"] = {"total": total, "currency": "CNY"}

    def __call__(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        if self.down:
            raise Unknown("no answer")
        parts = urlsplit(url)
        self._check(method, parts.path + (f"?{parts.query}" if parts.query else ""), headers["Authorization"], body)
        status, told = self._answer(method, parts.path, json.loads(body) if body else {})
        text = json.dumps(told, ensure_ascii=False) if told is not None else ""
        return Answer(status, self.signed(text, self.signer), text.encode())

    def _check(self, method: str, target: str, authorization: str, body: bytes) -> None:
        scheme, _, rest = authorization.partition(" ")
        assert scheme == "WECHATPAY2-SHA256-RSA2048"
        values = dict(part.split("=", 1) for part in rest.split(","))
        told = {name: value.strip('"') for name, value in values.items()}
        text = f"{method}\n{target}\n{told['timestamp']}\n{told['nonce_str']}\n{body.decode()}\n"
        assert is_signed(key("us").public_key(), text, told["signature"]), "our signature"
        assert (told["mchid"], told["serial_no"]) == (self.account.merchant_id, self.account.serial_no)

    def signed(self, text: str, signer: str = "wechat", ahead: int = 0) -> dict[str, str]:
        stamp, nonce = str(int((clock.wall_time() + timedelta(seconds=ahead)).timestamp())), secrets.token_hex(8)
        return {
            "wechatpay-serial": self.account.platform_key_id, "wechatpay-timestamp": stamp, "wechatpay-nonce": nonce,
            "wechatpay-signature": sign(key(signer), f"{stamp}\n{nonce}\n{text}\n"),
        }  # fmt: skip

    def _answer(self, method: str, path: str, asked: dict[str, Any]) -> tuple[int, dict[str, Any] | None]:
        if path == "/v3/pay/transactions/native":
            made = {"out_trade_no": asked["out_trade_no"], "trade_state": "NOTPAY", "amount": asked["amount"]}
            self.orders.setdefault(asked["out_trade_no"], made)
            return 200, {"code_url": f"weixin://wxpay/bizpayurl?pr={asked['out_trade_no'][-8:]}"}
        if path.startswith("/v3/refund"):
            number = asked.get("out_refund_no") or path.rsplit("/", 1)[-1]
            if method == "POST":
                made = {"refund_id": f"5030{number[:10]}", "out_refund_no": number, "status": "SUCCESS",
                        "amount": asked["amount"], "success_time": "2026-11-22T10:05:00+08:00"}  # fmt: skip
                self.refunds.setdefault(number, made)
            return 200, self.refunds[number]
        reference = path.split("/")[5]
        order = self.orders.get(reference)
        if order is None:
            return 404, {"code": "ORDER_NOT_EXIST", "message": "订单不存在"}
        if path.endswith("/close"):
            if order["trade_state"] == "SUCCESS":
                return 400, {"code": "ORDERPAID", "message": "订单已支付"}
            order["trade_state"] = "CLOSED"
            return 204, None
        return 200, order

    def notice(self, reference: str, api_key: str = API_KEY) -> bytes:
        """A notice of a paid order, its subject encrypted."""
        nonce = secrets.token_hex(6)
        plain = json.dumps({"out_trade_no": reference, "trade_state": "SUCCESS"}).encode()
        sealed = base64.b64encode(AESGCM(api_key.encode()).encrypt(nonce.encode(), plain, b"transaction")).decode()
        resource = {
            "algorithm": "AEAD_AES_256_GCM",
            "ciphertext": sealed,
            "nonce": nonce,
            "associated_data": "transaction",
        }
        event = {"id": "EV-2018022511223320873", "event_type": "TRANSACTION.SUCCESS", "resource": resource}
        return json.dumps(event).encode()
