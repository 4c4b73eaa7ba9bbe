"use strict";
// The code stands behind "#" and leaves in a body alone. Everything shown is set as text.
const message = document.getElementById("message");
const paper = document.getElementById("paper");
const lines = [
  ["issued_by", "Nơi phát hành · Issued by"], ["kind_vi", "Loại giấy · Kind"], ["number", "Số · Number"],
  ["date", "Ngày · Date"], ["period_start", "Từ ngày · From"], ["valid_until", "Đến hết ngày · Valid until"],
  ["health_class", "Phân loại sức khỏe · Health class"],
  ["holder", "Người có tên trên giấy · Holder"], ["printed_at", "In lúc · Printed"],
];

// A letter that stands may be used or over.
const over = ["used", "expired"];
// The mark of each kind is drawn by the style sheet.
const kinds = { unchanged: "good", replaced: "warn", withdrawn: "bad", "not-ours": "bad" };

// As printed: 08/03/2026, and for an instant 15:31 22/11/2026, in the zone that stands in it.
function told(value) {
  const day = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d:\d\d).*)?$/.exec(value);
  return day ? (day[4] ? day[4] + " " : "") + day[3] + "/" + day[2] + "/" + day[1] : value;
}

function add(parent, name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  parent.append(made);
  return made;
}

function show(answer) {
  paper.replaceChildren();
  const verdict = add(paper, "div", "");
  verdict.className = "verdict verdict--" + (over.includes(answer.letter_state) ? "warn" : kinds[answer.outcome] || "unknown");
  add(verdict, "h2", answer.text_vi);
  add(verdict, "p", answer.text_en).lang = "en";
  const list = add(paper, "dl", "");
  list.className = "nhsuk-summary-list";
  for (const [name, label] of lines) {
    if (!answer[name]) continue;
    const row = add(list, "div", "");
    row.className = "nhsuk-summary-list__row";
    add(row, "dt", label).className = "nhsuk-summary-list__key";
    add(row, "dd", told(answer[name])).className = "nhsuk-summary-list__value";
  }
}

// What the page says of its own doing: a sentence in a frame, or nothing.
function say(text) {
  message.className = text ? "notice" : "";
  message.textContent = text;
}

async function check() {
  const code = location.hash.slice(1);
  paper.replaceChildren();
  if (!code) {
    say("Hãy quét mã trên giấy bằng máy ảnh điện thoại. · Scan the code on the paper.");
    return;
  }
  say("Đang kiểm tra… · Checking…");
  let response;
  try {
    response = await fetch("/v1/public/papers/verify", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ code }),
    });
  } catch {
    say("Không có mạng: chưa kiểm tra được. · No network: not checked.");
    return;
  }
  const answer = await response.json();
  say(response.ok ? "" : (answer.title || "") + " " + (answer.detail || ""));
  if (response.ok) show(answer);
}

window.addEventListener("hashchange", check);
check();
