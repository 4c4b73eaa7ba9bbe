"use strict";
// The code stands behind "#" and leaves in a body alone. Everything shown is set as text.
const token = location.hash.slice(1);
const message = document.getElementById("message");
const card = document.getElementById("card");

function add(parent, name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  parent.append(made);
  return made;
}

function show(content) {
  card.replaceChildren();
  for (const part of content.parts) {
    const box = add(card, "section", "");
    box.className = "card";
    add(box, "h2", part.title_vi + " · " + part.title_en);
    const list = add(box, "ul", "");
    for (const line of part.lines) add(list, "li", line.detail ? line.text + " (" + line.detail + ")" : line.text);
    if (part.lines.length === 0) add(list, "li", part.empty_vi);
  }
  add(card, "p", content.notice_vi);
  add(card, "p", content.notice_en);
}

// What the page says of its own doing: a sentence in a frame, or nothing.
function say(text) {
  message.className = text ? "notice" : "";
  message.textContent = text;
}

document.getElementById("open").addEventListener("click", async () => {
  say("Đang mở… · Opening…");
  let response;
  try {
    response = await fetch("/v1/public/emergency-card", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ token }),
    });
  } catch {
    say("Không có mạng. Hãy gọi 115 nếu cần cấp cứu. · No network.");
    return;
  }
  const answer = await response.json();
  if (!response.ok) {
    say((answer.title || "") + " " + (answer.detail || ""));
    return;
  }
  say("");
  show(answer);
});
