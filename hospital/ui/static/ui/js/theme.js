// Staff only, loaded before the first paint: Tabler's dark rules need an attribute, not a media
// query. A choice made on this machine wins over what the server or the system says.
(() => {
  const root = document.documentElement;
  const system = window.matchMedia("(prefers-color-scheme: dark)");

  const chosen = () => localStorage.getItem("theme") || root.dataset.theme || "";

  const show = () => {
    const choice = chosen();
    const dark = choice ? choice === "dark" : system.matches;
    root.dataset.bsTheme = dark ? "dark" : "light";
    const tokens = document.getElementById("dark-tokens");
    if (tokens) tokens.media = dark ? "all" : "not all";
  };

  show();
  document.addEventListener("DOMContentLoaded", show);
  system.addEventListener("change", show);
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-toggle]")) return;
    localStorage.setItem("theme", root.dataset.bsTheme === "dark" ? "light" : "dark");
    show();
  });
})();
