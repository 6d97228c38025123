// Writing an answer: drafts saved while typing, texts inserted, Ctrl+Enter to send; an input method is left alone.
const form = document.getElementById("answer-form");
const text = document.getElementById("text");
const saved = document.getElementById("saved");
const SAVE_AFTER = 1500;

let timer = null;
let lastSaved = text?.defaultValue;

async function save() {
  timer = null;
  if (text.value === lastSaved) return;
  const value = text.value;
  try {
    const response = await fetch(form.dataset.draft, {
      method: "POST",
      headers: { "X-CSRF-Token": document.body.dataset.csrf, Accept: "application/json" },
      body: new URLSearchParams({ text: value }),
      keepalive: true,
    });
    if (response.ok) lastSaved = value;
    saved.textContent = response.ok ? "Đã lưu nháp." : "Chưa lưu được nháp.";
  } catch {
    saved.textContent = "Mất kết nối, nháp chưa được lưu.";
  }
}

function insert(words, from = text.selectionStart) {
  text.focus();
  text.setRangeText(words, from, text.selectionEnd, "end");
  text.dispatchEvent(new InputEvent("input", { bubbles: true }));
}

function canned(code) {
  return [...document.querySelectorAll("[data-canned]")].find((one) => one.dataset.canned === code);
}

function expandCode() {
  const found = /(^|\s)\/([a-z0-9-]{1,32})[ \u00a0]$/.exec(text.value.slice(0, text.selectionStart));
  const answer = found && canned(found[2]);
  if (answer) insert(answer.textContent, text.selectionStart - found[2].length - 2);
}

if (form) {
  text.addEventListener("input", (event) => {
    if (event.isComposing) return;
    expandCode();
    saved.textContent = "";
    clearTimeout(timer);
    timer = setTimeout(save, SAVE_AFTER);
  });
  text.addEventListener("compositionend", () => text.dispatchEvent(new InputEvent("input", { bubbles: true })));
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing && event.keyCode !== 229) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  form.addEventListener("submit", () => {
    clearTimeout(timer);
    lastSaved = text.value;
  });
  // What was typed before this script ran is saved too.
  if (text.value !== lastSaved) timer = setTimeout(save, SAVE_AFTER);
  addEventListener("pagehide", () => {
    if (timer !== null) save();
  });
  document.addEventListener("click", (event) => {
    const source = event.target.closest?.("[data-insert]");
    if (source) insert(document.getElementById(source.dataset.insert).textContent);
  });
}
