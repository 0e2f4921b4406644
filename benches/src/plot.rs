//! A plot of time against rules, both on logarithmic axes, as SVG text that needs no library and no script.

use std::fmt::Write;

use crate::table::{thousands, time};

/// One line of the plot.
#[derive(Clone, Debug)]
pub struct Series {
    /// Who.
    pub name: String,
    /// (rules, nanoseconds), in order of rules.
    pub points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 520.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 190.0;
const TOP: f64 = 50.0;
const BOTTOM: f64 = 50.0;
/// Colours that people who see red and green alike can tell apart (Okabe and Ito).
const COLOURS: [&str; 8] = ["#0072b2", "#56b4e9", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#999999", "#000000"];

/// Draws the lines; the first is drawn thicker.
#[must_use]
pub fn svg(title: &str, series: &[Series]) -> String {
    let all = || series.iter().flat_map(|line| line.points.iter().copied());
    let decades = |values: &mut dyn Iterator<Item = f64>| {
        let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
        (low.log10().floor(), high.log10().ceil())
    };
    let (left, right) = decades(&mut all().map(|(rules, _)| rules));
    let (low, high) = decades(&mut all().map(|(_, ns)| ns));
    let x = |rules: f64| LEFT + (rules.log10() - left) / (right - left) * (WIDTH - LEFT - RIGHT);
    let y = |ns: f64| HEIGHT - BOTTOM - (ns.log10() - low) / (high - low) * (HEIGHT - TOP - BOTTOM);

    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"system-ui, sans-serif\" font-size=\"13\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\n\
         <text x=\"{LEFT}\" y=\"26\" font-size=\"16\">{title}</text>\n"
    );
    let mut put = |line: String| svg.write_fmt(format_args!("{line}\n")).expect("writing to a string cannot fail");
    for decade in low as i32..=high as i32 {
        let ns = 10_f64.powi(decade);
        let (at, end) = (y(ns), WIDTH - RIGHT);
        put(format!("<path d=\"M{LEFT} {at:.1}H{end}\" stroke=\"#dddddd\"/>"));
        put(format!("<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>", LEFT - 8.0, at + 4.0, axis_time(ns)));
    }
    for decade in left as i32..=right as i32 {
        let rules = 10_f64.powi(decade);
        let (at, end) = (x(rules), HEIGHT - BOTTOM);
        put(format!("<path d=\"M{at:.1} {TOP}V{end}\" stroke=\"#eeeeee\"/>"));
        put(format!("<text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>", end + 20.0, thousands(rules as usize)));
    }
    put(format!("<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">rules</text>", (LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 10.0));
    let places = label_places(series, y);
    for (index, line) in series.iter().enumerate() {
        let colour = COLOURS[index % COLOURS.len()];
        let width = if index == 0 { 3.5 } else { 1.8 };
        let points: Vec<String> = line.points.iter().map(|(rules, ns)| format!("{:.1},{:.1}", x(*rules), y(*ns))).collect();
        put(format!("<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\"/>", points.join(" ")));
        for (rules, ns) in &line.points {
            let at = time(*ns);
            put(format!(
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"{colour}\"><title>{}: {at}</title></circle>",
                x(*rules),
                y(*ns),
                line.name
            ));
        }
        let name_at = (WIDTH - RIGHT + 14.0, places[index]);
        if let Some((rules, ns)) = line.points.last() {
            let (from, to) = ((x(*rules), y(*ns)), (name_at.0 - 4.0, name_at.1));
            let dots = format!("M{:.1} {:.1}L{:.1} {:.1}", from.0, from.1, to.0, to.1);
            put(format!("<path d=\"{dots}\" stroke=\"{colour}\" stroke-dasharray=\"1 4\"/>"));
        }
        put(format!("<text x=\"{:.1}\" y=\"{:.1}\" fill=\"{colour}\">{}</text>", name_at.0, name_at.1 + 4.0, line.name));
    }
    svg.push_str("</svg>\n");
    svg
}

/// Where the names stand: at the ends of their lines, moved apart where they would overlap.
fn label_places(series: &[Series], y: impl Fn(f64) -> f64) -> Vec<f64> {
    const APART: f64 = 16.0;
    let mut order: Vec<usize> = (0..series.len()).collect();
    let end = |index: usize| series[index].points.last().map_or(0.0, |(_, ns)| y(*ns));
    order.sort_by(|one, other| end(*one).total_cmp(&end(*other)));
    let mut places = vec![0.0; series.len()];
    let mut least = f64::MIN;
    for index in order {
        places[index] = end(index).max(least);
        least = places[index] + APART;
    }
    places
}

fn axis_time(ns: f64) -> String {
    match ns {
        ns if ns >= 1e9 => format!("{} s", ns / 1e9),
        ns if ns >= 1e6 => format!("{} ms", ns / 1e6),
        ns if ns >= 1e3 => format!("{} us", ns / 1e3),
        ns => format!("{ns} ns"),
    }
}
