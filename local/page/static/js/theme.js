// Light, dark, or as the system has it.

const NEXT = { system: "light", light: "dark", dark: "system" };
const SIGNS = { system: "◐", light: "☀", dark: "☾" };

/** Let the button go round the three; the choice is kept. */
export function startTheme(button) {
  let chosen = localStorage.getItem("theme") ?? "system";
  const show = () => {
    document.documentElement.dataset.theme = chosen;
    button.textContent = SIGNS[chosen];
    button.title = `Theme: ${chosen}`;
    button.setAttribute("aria-label", `Theme: ${chosen}. Change to ${NEXT[chosen]}.`);
    dispatchEvent(new Event("themechange"));
  };
  button.onclick = () => {
    chosen = NEXT[chosen];
    localStorage.setItem("theme", chosen);
    show();
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
  show();
}
