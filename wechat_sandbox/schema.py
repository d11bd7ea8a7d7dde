"""The tables of the stand-in's own SQLite file; columns mirror `records`."""

from wechat_sandbox.account_schema import ACCOUNT_SCHEMA, ACCOUNT_TABLES

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS users (
  openid TEXT PRIMARY KEY, mp_openid TEXT NOT NULL UNIQUE, unionid TEXT NOT NULL,
  nickname TEXT NOT NULL, colour TEXT NOT NULL, subscribed INTEGER NOT NULL,
  subscribed_at REAL NOT NULL, blocked INTEGER NOT NULL, snapshot INTEGER NOT NULL,
  password TEXT NOT NULL, balance_fen INTEGER NOT NULL, created_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS orders (
  out_trade_no TEXT PRIMARY KEY, appid TEXT NOT NULL, mchid TEXT NOT NULL,
  trade_type TEXT NOT NULL, description TEXT NOT NULL, attach TEXT NOT NULL,
  notify_url TEXT NOT NULL, total_fen INTEGER NOT NULL, openid TEXT NOT NULL,
  payer_openid TEXT NOT NULL, device_id TEXT NOT NULL, request TEXT NOT NULL,
  state TEXT NOT NULL, transaction_id TEXT UNIQUE, bank_type TEXT NOT NULL,
  created_at REAL NOT NULL, expires_at REAL NOT NULL, success_at REAL, closed_at REAL);
CREATE INDEX IF NOT EXISTS orders_expiry ON orders (expires_at) WHERE state = 'NOTPAY';
CREATE TABLE IF NOT EXISTS prepays (
  prepay_id TEXT PRIMARY KEY, out_trade_no TEXT NOT NULL, created_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS code_urls (
  code_url TEXT PRIMARY KEY, out_trade_no TEXT NOT NULL, prepay_id TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS code_urls_order ON code_urls (out_trade_no);
CREATE INDEX IF NOT EXISTS orders_paying ON orders (expires_at) WHERE state = 'USERPAYING';
CREATE TABLE IF NOT EXISTS pay_codes (
  code TEXT PRIMARY KEY, openid TEXT NOT NULL, created_at REAL NOT NULL,
  expires_at REAL NOT NULL, used INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS scans (
  out_trade_no TEXT PRIMARY KEY, auth_code TEXT NOT NULL, openid TEXT NOT NULL,
  asks INTEGER NOT NULL, lands_at REAL, lands_on_reverse INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS scans_due ON scans (lands_at) WHERE lands_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS reversals (
  out_trade_no TEXT PRIMARY KEY, refund_id TEXT NOT NULL, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS refunds (
  out_refund_no TEXT PRIMARY KEY, refund_id TEXT NOT NULL UNIQUE, out_trade_no TEXT NOT NULL,
  transaction_id TEXT NOT NULL, amount_fen INTEGER NOT NULL, total_fen INTEGER NOT NULL,
  reason TEXT NOT NULL, notify_url TEXT NOT NULL, funds_account TEXT NOT NULL,
  request TEXT NOT NULL, status TEXT NOT NULL, held INTEGER NOT NULL,
  created_at REAL NOT NULL, due_at REAL NOT NULL, success_at REAL);
CREATE INDEX IF NOT EXISTS refunds_order ON refunds (out_trade_no);
CREATE INDEX IF NOT EXISTS refunds_due ON refunds (due_at) WHERE status = 'PROCESSING';
CREATE INDEX IF NOT EXISTS orders_success ON orders (success_at) WHERE success_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS refunds_created ON refunds (created_at);
CREATE TABLE IF NOT EXISTS refund_ends (
  id INTEGER PRIMARY KEY AUTOINCREMENT, out_refund_no TEXT NOT NULL, status TEXT NOT NULL,
  at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS refund_ends_refund ON refund_ends (out_refund_no, id);
CREATE TABLE IF NOT EXISTS refund_plans (
  out_refund_no TEXT PRIMARY KEY, ends_as TEXT NOT NULL, channel TEXT NOT NULL,
  account TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS held_notices (
  notice_id TEXT PRIMARY KEY, out_trade_no TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS bill_files (
  token TEXT PRIMARY KEY, text TEXT NOT NULL, expires_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS wallet_entries (
  id INTEGER PRIMARY KEY AUTOINCREMENT, openid TEXT NOT NULL, amount_fen INTEGER NOT NULL,
  balance_fen INTEGER NOT NULL, kind TEXT NOT NULL, title TEXT NOT NULL, method TEXT NOT NULL,
  out_trade_no TEXT NOT NULL, out_refund_no TEXT NOT NULL, at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS wallet_owner ON wallet_entries (openid, id);
CREATE TABLE IF NOT EXISTS notices (
  id TEXT PRIMARY KEY, event_type TEXT NOT NULL, out_trade_no TEXT NOT NULL,
  out_refund_no TEXT NOT NULL, subject TEXT NOT NULL, url TEXT NOT NULL, body TEXT NOT NULL,
  created_at REAL NOT NULL, status TEXT NOT NULL, attempts INTEGER NOT NULL, next_at REAL,
  copies INTEGER NOT NULL, concurrent INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS notices_due ON notices (next_at) WHERE status = 'waiting';
CREATE TABLE IF NOT EXISTS deliveries (
  id INTEGER PRIMARY KEY AUTOINCREMENT, notice_id TEXT NOT NULL, event_type TEXT NOT NULL,
  out_trade_no TEXT NOT NULL, out_refund_no TEXT NOT NULL, url TEXT NOT NULL,
  attempt INTEGER NOT NULL, copy INTEGER NOT NULL, sent_at REAL NOT NULL, ms REAL NOT NULL,
  status INTEGER, answer TEXT NOT NULL, error TEXT NOT NULL, fault TEXT NOT NULL,
  headers TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS messages (
  msgid INTEGER PRIMARY KEY AUTOINCREMENT, openid TEXT NOT NULL, template_id TEXT NOT NULL,
  url TEXT NOT NULL, miniprogram TEXT NOT NULL, data TEXT NOT NULL,
  client_msg_id TEXT NOT NULL, at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS messages_owner ON messages (openid, msgid);
CREATE TABLE IF NOT EXISTS tokens (
  token TEXT PRIMARY KEY, family TEXT NOT NULL, issued_at REAL NOT NULL,
  expires_at REAL NOT NULL, revoked INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS codes (
  code TEXT PRIMARY KEY, openid TEXT NOT NULL, appid TEXT NOT NULL, scope TEXT NOT NULL,
  expires_at REAL NOT NULL, used INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS web_tokens (
  token TEXT PRIMARY KEY, openid TEXT NOT NULL, scope TEXT NOT NULL, expires_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS faults (
  id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, times_left INTEGER NOT NULL,
  copies INTEGER NOT NULL, seconds REAL NOT NULL, match TEXT NOT NULL,
  value TEXT NOT NULL, created_at REAL NOT NULL, hits INTEGER NOT NULL);
"""

TABLES = (
    "users",
    "orders",
    "prepays",
    "code_urls",
    "pay_codes",
    "scans",
    "reversals",
    "refunds",
    "refund_ends",
    "refund_plans",
    "held_notices",
    "bill_files",
    "wallet_entries",
    "notices",
    "deliveries",
    "messages",
    "tokens",
    "codes",
    "web_tokens",
    "faults",
    "meta",
    *ACCOUNT_TABLES,
)
SCRIPTS = (SCHEMA, ACCOUNT_SCHEMA)
# Columns that files of older versions lack: table, column, declaration.
ADDED = (
    ("users", "phone_number", "TEXT NOT NULL DEFAULT ''"),
    ("messages", "product", "TEXT NOT NULL DEFAULT 'template'"),
    ("messages", "result", "TEXT NOT NULL DEFAULT 'success'"),
)
