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
const signs = { unchanged: "✓", replaced: "!", withdrawn: "✗", "not-ours": "✗" };

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
  const sign = over.includes(answer.letter_state) ? "!" : signs[answer.outcome] || "";
  add(paper, "h2", sign + " " + answer.text_vi);
  add(paper, "p", answer.text_en);
  const list = add(paper, "ul", "");
  for (const [name, label] of lines) if (answer[name]) add(list, "li", label + ": " + told(answer[name]));
}

async function check() {
  const code = location.hash.slice(1);
  paper.replaceChildren();
  message.textContent = "";
  if (!code) {
    message.textContent = "Hãy quét mã trên giấy bằng máy ảnh điện thoại. · Scan the code on the paper.";
    return;
  }
  const response = await fetch("/v1/public/papers/verify", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ code }),
  });
  const answer = await response.json();
  if (response.ok) show(answer);
  else message.textContent = (answer.title || "") + " " + (answer.detail || "");
}

window.addEventListener("hashchange", check);
check();
