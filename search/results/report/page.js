"use strict";
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const paper = { text: "#4a515b", grid: "#e6e8ec" };
  const config = { responsive: true, displayModeBar: false, displaylogo: false, doubleClick: "reset" };
  const plots = [...document.querySelectorAll("script[data-plot]")].map((script) => ({
    box: document.getElementById(script.dataset.plot),
    figure: JSON.parse(script.textContent),
  }));

  const screenColors = () => {
    const style = getComputedStyle(document.documentElement);
    const of = (name) => style.getPropertyValue(name).trim();
    return { text: of("--plot-text"), grid: of("--plot-grid") };
  };

  const colored = (layout, colors) => {
    const themed = { ...layout, font: { ...layout.font, color: colors.text } };
    for (const name of Object.keys(layout).filter((one) => /^[xy]axis/.test(one))) {
      const lines = { gridcolor: colors.grid, zerolinecolor: colors.grid, linecolor: colors.grid };
      themed[name] = { ...layout[name], ...lines };
    }
    return themed;
  };

  const draw = (colors, width) => {
    for (const { box, figure } of plots) {
      const layout = colored(figure.layout, colors);
      const isSmall = box.parentElement.classList.contains("small");
      const own = width ? (isSmall ? width / 2 - 12 : width) : box.clientWidth;
      Plotly.react(box, figure.data, { ...layout, width: own }, config);
    }
  };

  const show = () => draw(screenColors());
  show();
  dark.addEventListener("change", show);
  let wait = 0;
  addEventListener("resize", () => {
    clearTimeout(wait);
    wait = setTimeout(show, 120);
  });
  // An A4 page less its margins, at the 96 dots an inch that CSS counts in.
  addEventListener("beforeprint", () => draw(paper, 670));
  addEventListener("afterprint", show);
})();
