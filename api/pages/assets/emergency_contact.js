"use strict";
// The code leaves in a body alone; everything shown is set as text.
const code = document.getElementById("code");
const message = document.getElementById("message");

function say(text) {
  message.className = "notice";
  message.textContent = text;
}

async function send(path, body) {
  say("Đang gửi…");
  let response;
  try {
    response = await fetch("/v1/public/emergency-contacts/" + path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ code: code.value, ...body }),
    });
  } catch {
    say("Không có mạng. Mã chưa được gửi; hãy thử lại.");
    return;
  }
  const answer = await response.json();
  if (!response.ok) {
    say((answer.title || "") + " " + (answer.detail || ""));
  } else if (path === "invitation") {
    say("Người mời: " + answer.person_name + (answer.accepted ? " (bạn đã nhận)" : ""));
  } else {
    say(answer.accepted ? "Bạn đã nhận làm liên hệ khẩn cấp." : "Đã xong. Mã này không còn dùng được.");
  }
}

document.getElementById("look").addEventListener("click", () => send("invitation", {}));
for (const answer of ["accept", "decline", "end"]) {
  document.getElementById(answer).addEventListener("click", () => send("answer", { answer }));
}
