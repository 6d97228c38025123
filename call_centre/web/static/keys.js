// Single-key shortcuts: only outside text fields, never while an input method composes, and they can be switched off.
const help = document.getElementById("help");
const toggle = document.getElementById("keys-on");
const rows = () => [...document.querySelectorAll(".cases tbody tr")];

if (toggle) {
  toggle.checked = localStorage.getItem("keys") !== "off";
  toggle.addEventListener("change", () => localStorage.setItem("keys", toggle.checked ? "on" : "off"));
}
document.getElementById("help-open")?.addEventListener("click", () => help.showModal());

function move(step) {
  const all = rows();
  if (!all.length) return;
  const at = all.findIndex((row) => row.contains(document.activeElement));
  const next = all[at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + step, 0), all.length - 1)];
  next.querySelector("a.open").focus();
}

function press(key) {
  const row = rows().find((one) => one.contains(document.activeElement));
  const button = row?.querySelector(`[data-key="${key}"]`) ?? document.querySelector(`[data-key="${key}"]:not(.cases *)`);
  button?.focus();
  // Closing asks for a second press of Enter; claiming and undoing act at once.
  if (key !== "x") button?.click();
  return Boolean(button);
}

const ACTIONS = {
  "?": () => help.showModal(),
  j: () => move(1),
  k: () => move(-1),
  c: () => press("c"),
  x: () => press("x"),
  z: () => press("z"),
  r: () => document.getElementById("text")?.focus(),
  q: () => document.querySelector("nav a[data-queue]").click(),
  "/": () => document.getElementById("q")?.focus(),
};

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable], dialog[open]");
  // A dialog just closed keeps the focus until the next frame: a key pressed in that moment is a shortcut.
  if (typing?.checkVisibility() || event.isComposing || event.keyCode === 229) return;
  if (event.ctrlKey || event.altKey || event.metaKey || !toggle?.checked) return;
  const action = ACTIONS[event.key];
  if (action) {
    event.preventDefault();
    action();
  }
});
