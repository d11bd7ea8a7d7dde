"""The tables of the account's side: callbacks, chat, consents, templates, codes, text messages."""

ACCOUNT_SCHEMA = """
CREATE TABLE IF NOT EXISTS inbound (
  id INTEGER PRIMARY KEY AUTOINCREMENT, openid TEXT NOT NULL, kind TEXT NOT NULL,
  event TEXT NOT NULL, event_key TEXT NOT NULL, msg_id INTEGER NOT NULL, xml TEXT NOT NULL,
  created_at REAL NOT NULL, status TEXT NOT NULL, attempts INTEGER NOT NULL, next_at REAL,
  copies INTEGER NOT NULL, concurrent INTEGER NOT NULL, awaits_reply INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS inbound_due ON inbound (next_at) WHERE status = 'waiting';
CREATE TABLE IF NOT EXISTS callback_deliveries (
  id INTEGER PRIMARY KEY AUTOINCREMENT, inbound_id INTEGER NOT NULL, openid TEXT NOT NULL,
  kind TEXT NOT NULL, event TEXT NOT NULL, msg_id INTEGER NOT NULL, url TEXT NOT NULL,
  mode TEXT NOT NULL, attempt INTEGER NOT NULL, copy INTEGER NOT NULL, sent_at REAL NOT NULL,
  ms REAL NOT NULL, status INTEGER, answer TEXT NOT NULL, error TEXT NOT NULL,
  fault TEXT NOT NULL, query TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS chat_lines (
  id INTEGER PRIMARY KEY AUTOINCREMENT, openid TEXT NOT NULL, side TEXT NOT NULL,
  kind TEXT NOT NULL, text TEXT NOT NULL, items TEXT NOT NULL, source TEXT NOT NULL,
  at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS chat_lines_owner ON chat_lines (openid, id);
CREATE TABLE IF NOT EXISTS followings (
  openid TEXT PRIMARY KEY, how TEXT NOT NULL, qr_scene INTEGER NOT NULL,
  qr_scene_str TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS reply_windows (
  openid TEXT PRIMARY KEY, until REAL NOT NULL, messages_left INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS consents (
  openid TEXT NOT NULL, template_id TEXT NOT NULL, sends_left INTEGER NOT NULL,
  permanent INTEGER NOT NULL, changed_at REAL NOT NULL, PRIMARY KEY (openid, template_id));
CREATE TABLE IF NOT EXISTS templates (
  template_id TEXT PRIMARY KEY, product TEXT NOT NULL, title TEXT NOT NULL, keys TEXT NOT NULL,
  permanent INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS qr_codes (
  ticket TEXT PRIMARY KEY, url TEXT NOT NULL UNIQUE, action TEXT NOT NULL,
  scene_id INTEGER NOT NULL, scene_str TEXT NOT NULL, expires_at REAL, created_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS refresh_tokens (
  token TEXT PRIMARY KEY, openid TEXT NOT NULL, scope TEXT NOT NULL, expires_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS sms (
  id INTEGER PRIMARY KEY AUTOINCREMENT, number TEXT NOT NULL, text TEXT NOT NULL,
  reference TEXT NOT NULL UNIQUE, at REAL NOT NULL);
"""

ACCOUNT_TABLES = (
    "inbound",
    "callback_deliveries",
    "chat_lines",
    "followings",
    "reply_windows",
    "consents",
    "templates",
    "qr_codes",
    "refresh_tokens",
    "sms",
)
