"""Networks of any width, batch and depth: what to measure, and the figure of it."""

import math
import statistics

ENGINES = ["wengert", "torch-fused", "candle"]
COLORS = {"wengert": "#d55e00", "torch-fused": "#0072b2", "candle": "#009e73"}
# Of each panel: its title, the values, and the width, batch and depth that a value stands for.
PANELS = [
    ("width, with batches of 64 and 3 layers", [16, 32, 64, 128, 256, 512, 1024, 2048, 4096], lambda n: (n, 64, 3)),
    ("batch, with 3 layers of 256 × 256", [1, 4, 16, 64, 256, 1024, 4096], lambda n: (256, n, 3)),
    ("depth, with 32 × 32 and batches of 32", [1, 3, 10, 30, 100, 300, 1000], lambda n: (32, 32, n)),
]
# What one core of the machine does, in GFLOPS.
PEAK = 266
WIDTH, HEIGHT, LEFT, BOTTOM = 330, 300, 58, 46


def name(sizes):
    return "mlp:" + ":".join(map(str, sizes))


def workloads():
    return list(dict.fromkeys(name(sizes(n)) for _, values, sizes in PANELS for n in values))


def milliseconds(results, engine, sizes):
    rounds = results.get((engine, name(sizes), 1))
    return rounds and 1e3 / statistics.median(rate for result in rounds for rate in result["rates"])


def arithmetic(width, batch, depth, gigaflops=PEAK):
    """Milliseconds for the multiplications and additions alone; the first layer has no gradient to its input."""
    return 2 * width * width * batch * (3 * depth - 1) / gigaflops / 1e6


def decade(value):
    return f"{10 ** value:g}" if value >= 0 else f"{10 ** value:.{-value}f}"


def panel(results, title, values, sizes):
    series = {engine: [(n, milliseconds(results, engine, sizes(n))) for n in values] for engine in ENGINES}
    series = {engine: [point for point in points if point[1]] for engine, points in series.items()}
    limit = [(n, arithmetic(*sizes(n))) for n in values]
    times = [time for points in series.values() for _, time in points]
    low, high = math.floor(math.log10(min(times))), math.ceil(math.log10(max(times)))
    x = lambda n: LEFT + 14 + math.log(n / values[0]) / math.log(values[-1] / values[0]) * (WIDTH - LEFT - 34)
    y = lambda time: HEIGHT - BOTTOM - (math.log10(time) - low) / (high - low) * (HEIGHT - BOTTOM - 40)
    line = lambda points: "M" + "L".join(f"{x(n):.1f} {y(time):.1f}" for n, time in points)
    parts = [f'<text x="{LEFT}" y="22" font-weight="bold">{title}</text>']
    for power in range(low, high + 1):
        at = y(10**power)
        parts.append(f'<path d="M{LEFT} {at:.1f}H{WIDTH - 12}" stroke="#e2e2e2"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{decade(power)}</text>')
    for n in values[:: 2 if len(values) > 7 else 1]:
        parts.append(f'<text x="{x(n):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{n}</text>')
    parts.append(f'<path d="M{LEFT} 34V{HEIGHT - BOTTOM}H{WIDTH - 12}" fill="none" stroke="#555"/>')
    seen = [(n, time) for n, time in limit if time >= 10**low]
    if len(seen) > 1:
        parts.append(f'<path d="{line(seen)}" fill="none" stroke="#999" stroke-dasharray="4 3"/>')
    for engine, points in series.items():
        parts.append(f'<path d="{line(points)}" fill="none" stroke="{COLORS[engine]}" stroke-width="2"/>')
        parts += [f'<circle cx="{x(n):.1f}" cy="{y(time):.1f}" r="2.8" fill="{COLORS[engine]}"/>' for n, time in points]
    return parts


def draw(results, path):
    parts = [f'<rect width="{3 * WIDTH}" height="{HEIGHT}" fill="white"/>']
    for k, (title, values, sizes) in enumerate(PANELS):
        parts += [f'<g transform="translate({k * WIDTH} 0)">', *panel(results, title, values, sizes), "</g>"]
    parts.append(f'<text transform="translate(14 {HEIGHT - BOTTOM - 60}) rotate(-90)">milliseconds a step</text>')
    legend = [*COLORS.items(), (f"the arithmetic alone, at {PEAK} GFLOPS", "#999")]
    for k, (label, color) in enumerate(legend):
        at = LEFT + k * 130
        dashes = ' stroke-dasharray="4 3"' if color == "#999" else ""
        parts.append(f'<path d="M{at} {HEIGHT - 12}h22" stroke="{color}" stroke-width="2"{dashes}/>')
        parts.append(f'<text x="{at + 28}" y="{HEIGHT - 8}">{label}</text>')
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {3 * WIDTH} {HEIGHT}" font-family="sans-serif" font-size="11">'
    path.write_text("\n".join([head, *parts, "</svg>\n"]))
