// The page's style: light and dark, on a phone, on paper.
#pragma once

#include <string_view>

namespace hermesctl::hermes {

inline constexpr std::string_view report_style = R"css(
:root { color-scheme: light dark; --ground: #fbfbfa; --sheet: #fff; --ink: #1d2125; --faint: #5c6670;
  --edge: #d9dde1; --pass: #17713a; --warn: #8a5a00; --fail: #b3261e; --unknown: #8a5a00; }
@media (prefers-color-scheme: dark) { :root { --ground: #14171a; --sheet: #1c2024; --ink: #e6e9ec;
  --faint: #9aa5b0; --edge: #353c43; --pass: #5fcf8a; --warn: #e5b454; --fail: #ff8a80; --unknown: #e5b454; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); overflow-wrap: anywhere;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 46rem; margin: 0 auto; padding: 1rem; }
h1, h2, h3, p, dl, dd, ul { margin: 0; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; font-weight: 600; }
a { color: inherit; }
header { background: var(--sheet); border: 1px solid var(--edge); border-left: .5rem solid var(--unknown);
  border-radius: .5rem; padding: 1rem; }
header.pass { border-left-color: var(--pass); } header.fail { border-left-color: var(--fail); }
header h1 { font-size: 1.5rem; line-height: 1.25; }
header.pass h1 { color: var(--pass); } header.fail h1 { color: var(--fail); }
header.unknown h1 { color: var(--unknown); }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .1rem 1rem; margin-top: 1rem; }
dt, .faint { color: var(--faint); }
ul { padding-left: 1.25rem; }
article { background: var(--sheet); border: 1px solid var(--edge); border-left: .25rem solid var(--edge);
  border-radius: .375rem; padding: .5rem .75rem; margin-bottom: .5rem; break-inside: avoid; }
article.pass { border-left-color: var(--pass); } article.warn { border-left-color: var(--warn); }
article.fail { border-left-color: var(--fail); } article.unknown { border-left-color: var(--unknown); }
.mark { font-size: .8rem; font-weight: 700; white-space: nowrap; margin-right: .35rem; }
.mark.pass { color: var(--pass); } .mark.warn { color: var(--warn); } .mark.fail { color: var(--fail); }
.mark.unknown { color: var(--unknown); } .mark.none { color: var(--faint); }
figure { margin: 0; } figcaption { color: var(--faint); font-size: .875rem; }
svg { display: block; width: 100%; max-width: 34rem; height: auto; }
svg text { font-size: 12px; fill: var(--ink); } svg .middle { text-anchor: middle; }
svg .cage { fill: none; stroke: var(--ink); stroke-width: 2; stroke-dasharray: 7 4; }
svg .agent, svg .place { fill: var(--sheet); stroke: var(--edge); }
svg .line, svg .stop { fill: none; stroke-width: 2; } svg .stop { stroke-width: 4; }
svg .line.unknown, svg .line.warn { stroke-dasharray: 4 3; }
svg .line.pass, svg .stop.pass { stroke: var(--pass); } svg .line.fail, svg .stop.fail { stroke: var(--fail); }
svg .line.unknown, svg .line.warn { stroke: var(--unknown); }
svg .head.pass, svg .sign.pass { fill: var(--pass); } svg .head.fail, svg .sign.fail { fill: var(--fail); }
svg .head.warn, svg .sign.unknown, svg .sign.warn { fill: var(--unknown); }
svg .label.none, svg .sign.none { fill: var(--faint); }
svg .place.fail { stroke: var(--fail); stroke-width: 2; } svg .sign { font-weight: 700; }
footer { margin: 2rem 0 1rem; color: var(--faint); font-size: .875rem; }
@media print { :root { --ground: #fff; --sheet: #fff; --ink: #000; --faint: #444; --edge: #bbb; --pass: #17713a;
  --warn: #8a5a00; --fail: #b3261e; --unknown: #8a5a00; } body { font-size: 11pt; } main { max-width: none; padding: 0; }
  h2 { break-after: avoid; } figure { break-inside: avoid; } svg { max-width: 12cm; } }
)css";

}  // namespace hermesctl::hermes
