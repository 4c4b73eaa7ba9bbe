/** The page /verify: reads what was given, judges it here, shows the verdict. Nothing of it is kept or sent. */

import { check } from "./verify/judge.js";
import { MAX_AGE_MS, keptLists, newLists } from "./verify/lists.js";

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const english = document.documentElement.lang === "en";
const say = (vi, en) => (english ? en : vi);
const at = (id) => document.getElementById(id);
const dates = { timeZone: "Asia/Ho_Chi_Minh", day: "2-digit", month: "2-digit", year: "numeric" };
const dayOf = (ms) => new Date(ms).toLocaleDateString("vi-VN", dates);
const times = { timeZone: dates.timeZone, hour: "2-digit", minute: "2-digit" };
const timeOf = (ms) => new Date(ms).toLocaleTimeString("vi-VN", times);

const { issuer, vaccines, demo } = at("lists").dataset;
const isDemo = demo !== undefined;
const words = JSON.parse(vaccines);
let held = null;
let given = "";

/** 2026-03-18 as 18/03/2026; shorter dates as they are, the other way round. */
const written = (date) => (date ?? "").slice(0, 10).split("-").reverse().join("/");

function fill(part, facts) {
  for (const [name, value] of Object.entries(facts)) {
    const place = part.querySelector(`[data-fact="${name}"]`);
    place.textContent = value;
    if (!value) (place.closest("dd")?.parentElement ?? place).remove();
  }
  return part;
}

const copyOf = (id) => at(id).content.cloneNode(true);
const joined = (...parts) => parts.filter(Boolean).join(" ");

function doseOf({ kind, product, vaccine, dose, of, occurred, issuer: by, result }) {
  const code = product ?? vaccine ?? "";
  const named = Object.hasOwn(words, code) ? words[code] : code;
  const kinds = { test: say("Xét nghiệm", "Test"), recovery: say("Đã khỏi bệnh", "Recovery") };
  const what = kind === "vaccination" ? named : joined(kinds[kind], named, result);
  const number = dose && of ? say(`Mũi ${dose}/${of}`, `Dose ${dose}/${of}`) : "";
  return fill(copyOf("dose"), { what, number, day: written(occurred), issuer: by ?? "" });
}

function personOf({ holder, statements, expiresAt }) {
  const person = fill(copyOf("person"), {
    name: joined(holder?.family, holder?.given),
    latin: joined(holder?.familyLatin, holder?.givenLatin).replaceAll("<", " "),
    birth_date: written(holder?.birthDate),
    expires: expiresAt === null ? "" : dayOf(expiresAt * 1000),
  });
  person.querySelector("ol").append(...statements.map(doseOf));
  return person;
}

/** What one verdict says beside its words; empty where there is nothing more. */
function noteOf({ status, at: seconds, isRevocationKnown }) {
  const day = seconds === null ? "" : dayOf(seconds * 1000);
  if (day && status === "EXPIRED") return say(`Hết hạn ngày ${day}.`, `Expired on ${day}.`);
  if (day) return say(`Có hiệu lực từ ${day}.`, `Valid from ${day}.`);
  const isUnknown = status === "VERIFIED" && !isRevocationKnown;
  return isUnknown ? say("Không rõ chứng nhận có bị thu hồi hay không.", "Whether it was revoked is not known.") : "";
}

/** The verdict as the page's own words; what the certificate says comes in as text alone. */
function show(verdict) {
  const panel = copyOf("panels").querySelector(`[data-status~="${verdict.status}"]`);
  const note = noteOf(verdict);
  if (note) panel.append(Object.assign(document.createElement("p"), { textContent: note }));
  at("verdict").replaceChildren(panel, ...(verdict.status === "VERIFIED" ? [personOf(verdict)] : []));
  at("online").hidden = !("asks" in panel.dataset && navigator.onLine);
  at("online-note").textContent = "";
  at("ask").hidden = true;
  at("after").hidden = false;
  document.querySelector("#verdict h2").focus();
}

async function judge(text) {
  given = text;
  if (held !== null && navigator.onLine && Date.now() - held.at > HOUR_MS) await renew();
  const trust = held?.trust ?? { named: () => [], revocation: () => "not-known" };
  const verdict = await check(text, trust, Date.now());
  // Without any list "issuer unknown" would say something of the issuer.
  show(held === null && verdict.step === "key" ? { ...verdict, status: "TRUST_DATA_STALE" } : verdict);
}

/** The service's own verdict, in the members of ours. */
async function askOnline() {
  at("online-note").textContent = say("Đang hỏi…", "Asking…");
  const body = JSON.stringify({ text: given });
  const headers = { "content-type": "application/json" };
  try {
    const sent = { method: "POST", credentials: "omit", headers, body };
    const answer = await fetch("/v1/public/certificates/verify", sent);
    const said = await answer.json();
    if (answer.ok) show(ofService(said));
    else at("online-note").textContent = say(said.title, said.title_en);
  } catch {
    at("online-note").textContent = say("Chưa hỏi được. Hãy xem lại kết nối mạng.", "No answer. Check the network.");
  }
}

function ofService({ status, holder, statements, expires_at: expires }) {
  const person = {
    family: holder?.family_name,
    given: holder?.given_name,
    familyLatin: holder?.family_name_latin,
    givenLatin: holder?.given_name_latin,
    birthDate: holder?.birth_date,
  };
  const doses = statements.map(({ dose_number: dose, series_doses: of, ...one }) => ({ ...one, dose, of }));
  const expiresAt = expires ? Date.parse(expires) / 1000 : null;
  return { status, at: null, expiresAt, isRevocationKnown: true, statements: doses, holder: person };
}

function sayLists() {
  const isOld = held === null || Date.now() - held.issuedAt > MAX_AGE_MS;
  at("lists").classList.toggle("is-old", isOld);
  const offline = navigator.onLine ? "" : say("Đang không có mạng.", "No network now.");
  at("lists-state").textContent = joined(held === null ? noLists() : ageOfLists(isOld), offline);
}

const noLists = () =>
  say("! Chưa có danh sách: hãy mở trang này một lần khi có mạng.", "! No lists yet: open this page once with a network.");

function ageOfLists(isOld) {
  const days = Math.max(0, Math.floor((Date.now() - held.issuedAt) / DAY_MS));
  const age = days === 0 ? say("hôm nay", "today") : say(`${days} ngày trước`, `${days} days ago`);
  const mark = isOld ? say("! Đã quá cũ, cần nối mạng.", "! Too old, connect to the network.") : "✓";
  const [issued, fetched, today] = [dayOf(held.issuedAt), `${timeOf(held.at)} ${dayOf(held.at)}`, dayOf(Date.now())];
  return joined(
    mark,
    say(`Danh sách ngày ${issued} (${age}), tải về lúc ${fetched}.`, `Lists of ${issued} (${age}), fetched at ${fetched}.`),
    say(`Ngày trên máy này: ${today}.`, `Date of this device: ${today}.`),
  );
}

async function renew() {
  try {
    held = await newLists(issuer, isDemo, held);
  } catch {
    // What is kept still counts, for as long as it may.
  }
  sayLists();
}

/** What stands behind `#`, and gone from the address and the history before it is read; a place of the page itself,
 *  where the link past the head leads, is none. */
function fromAddress() {
  const text = location.hash.slice(1);
  if (!text || document.getElementById(text)) return "";
  history.replaceState(null, "", location.pathname);
  const isEscaped = !/%(?![0-9A-Fa-f]{2})/.test(text);
  try {
    return isEscaped ? decodeURIComponent(text) : text.replaceAll("%20", " ");
  } catch {
    return text;
  }
}

function ask(event) {
  event.preventDefault();
  // A field of several lines adds breaks; blanks are part of a code.
  const text = at("text").value.replace(/[\r\n]/g, "");
  if (text) judge(text);
}

function again(event) {
  event.preventDefault();
  given = "";
  at("ask").reset();
  at("verdict").replaceChildren();
  [at("ask").hidden, at("after").hidden] = [false, true];
  (document.querySelector("[data-camera]:not([hidden])") ?? at("text")).focus();
}

async function begin() {
  at("ask").addEventListener("submit", ask);
  at("again").addEventListener("click", again);
  at("online").querySelector("button").addEventListener("click", askOnline);
  window.addEventListener("online", renew);
  window.addEventListener("offline", sayLists);
  navigator.serviceWorker?.register("/verify-worker.js", { scope: "/verify" }).catch(() => {});
  const text = fromAddress();
  window.addEventListener("hashchange", () => {
    const next = fromAddress();
    if (next) judge(next);
  });
  held = await keptLists(isDemo);
  sayLists();
  const renewed = renew();
  if (text && held === null) await renewed;
  if (text) await judge(text);
}

// An old browser, or a page without TLS, cannot check signatures: there the form asks the service.
if (globalThis.crypto?.subtle && "DecompressionStream" in globalThis && Object.hasOwn) begin();
