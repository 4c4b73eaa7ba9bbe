"use strict";
// The code leaves in a body alone; everything shown is set as text.
const code = document.getElementById("code");
const message = document.getElementById("message");

async function send(path, body) {
  const response = await fetch("/v1/public/emergency-contacts/" + path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ code: code.value, ...body }),
  });
  const answer = await response.json();
  if (!response.ok) {
    message.textContent = (answer.title || "") + " " + (answer.detail || "");
  } else if (path === "invitation") {
    message.textContent = "Người mời: " + answer.person_name + (answer.accepted ? " (bạn đã nhận)" : "");
  } else {
    message.textContent = answer.accepted ? "Bạn đã nhận làm liên hệ khẩn cấp." : "Đã xong. Mã này không còn dùng được.";
  }
}

document.getElementById("look").addEventListener("click", () => send("invitation", {}));
for (const answer of ["accept", "decline", "end"]) {
  document.getElementById(answer).addEventListener("click", () => send("answer", { answer }));
}
