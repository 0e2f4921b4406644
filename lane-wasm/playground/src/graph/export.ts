// The drawing as a file of its own: what the style sheet says is written into the elements.

const PROPERTIES = ["fill", "stroke", "stroke-width", "stroke-dasharray", "font-family", "font-size", "font-weight", "font-style", "text-anchor", "dominant-baseline", "opacity"];

/** Drops what only the page needs, and every attribute that runs anything. */
const DROPPED = ["class", "role", "tabindex", "aria-pressed", "aria-label"];

export function svgFile(drawing: SVGSVGElement, background: string): string {
  const copy = drawing.cloneNode(true) as SVGSVGElement;
  const [from, to] = [[drawing, ...drawing.querySelectorAll("*")], [copy, ...copy.querySelectorAll("*")]];
  from.forEach((element, index) => {
    const target = to[index]!;
    if (element instanceof SVGGraphicsElement) {
      const style = getComputedStyle(element);
      for (const property of PROPERTIES) {
        const value = style.getPropertyValue(property);
        if (value && value !== "none" && value !== "normal" && !(property === "opacity" && value === "1")) target.setAttribute(property, value);
        else if (value === "none" && (property === "fill" || property === "stroke")) target.setAttribute(property, value);
      }
    }
    for (const name of DROPPED) target.removeAttribute(name);
  });
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const paper = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  paper.setAttribute("width", "100%");
  paper.setAttribute("height", "100%");
  paper.setAttribute("fill", background);
  copy.prepend(paper);
  return `${new XMLSerializer().serializeToString(copy)}\n`;
}
