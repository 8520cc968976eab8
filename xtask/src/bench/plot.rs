//! The figures as a picture: how many times as fast as the stock cluster this one and the floor are.

use std::path::Path;

use anyhow::{Context, Result, anyhow};
use plotters::coord::Shift;
use plotters::prelude::*;

use super::figures::{Figures, Metric, Spread};
use super::traffic::SMALL_CASTS;

const WIDTH: u32 = 860;
/// The height of one workload's bars, and of what is above and below all of them.
const GROUP_HEIGHT: u32 = 46;
const MARGIN_HEIGHT: u32 = 110;
/// Where the bars begin and end, in times the stock cluster.
const SCALE: std::ops::Range<f64> = 0.5..64.0;
const LABEL_WIDTH: u32 = 190;
/// The height of a bar, where that of a workload's bars and the space around them is 1.
const THICKNESS: f64 = 0.27;

/// The bars of a workload: this system beside that one.
struct Group {
    label: &'static str,
    workload: &'static str,
    stock: &'static str,
    /// What is drawn, from the top.
    bars: &'static [Bar],
}

#[derive(Clone, Copy, PartialEq)]
struct Bar {
    system: &'static str,
    color: RGBColor,
}

const OURS: Bar = Bar {
    system: "ours",
    color: RGBColor(31, 98, 178),
};
const OURS_TLS: Bar = Bar {
    system: "ours-tls",
    color: OURS.color,
};
const FROM_STOCK: Bar = Bar {
    system: "stock-to-ours",
    color: RGBColor(128, 170, 220),
};
const RAW: Bar = Bar {
    system: "raw",
    color: RGBColor(176, 176, 176),
};
/// What the colors mean.
const LEGEND: &[(&str, Bar)] = &[
    ("ractor-host at both ends", OURS),
    ("a stock client, ractor-host as server", FROM_STOCK),
    ("TCP without actors: the floor", RAW),
];

const fn plain(label: &'static str, workload: &'static str) -> Group {
    Group {
        label,
        workload,
        stock: "stock",
        bars: &[OURS, FROM_STOCK, RAW],
    }
}

const fn tls(label: &'static str, workload: &'static str) -> Group {
    Group {
        label,
        workload,
        stock: "stock-tls",
        bars: &[OURS_TLS],
    }
}

const GROUPS: &[Group] = &[
    plain("casts of 16 B", SMALL_CASTS),
    plain("casts of 1 KiB", "casts-1k"),
    plain("casts of 64 KiB", "casts-64k"),
    plain("one call after the other", "call"),
    plain("64 calls in flight", "calls-64"),
    plain("1024 calls in flight", "calls-1024"),
    tls("TLS: casts of 16 B", SMALL_CASTS),
    tls("TLS: casts of 64 KiB", "casts-64k"),
    tls("TLS: 64 calls in flight", "calls-64"),
];

/// Draws what was measured of it. Without any of it there is no picture.
///
/// # Errors
/// The file can't be written.
pub(super) fn draw(figures: &Figures, file: &Path) -> Result<()> {
    let ratio = |group: &Group, bar: &Bar| figures.ratio(group.workload, Metric::Rate, bar.system, group.stock);
    let groups: Vec<(&Group, Vec<(Bar, Spread)>)> = GROUPS
        .iter()
        .map(|group| {
            let bars = group.bars.iter().filter_map(|bar| Some((*bar, ratio(group, bar)?)));
            (group, bars.collect::<Vec<_>>())
        })
        .filter(|(_, bars)| !bars.is_empty())
        .collect();
    if groups.is_empty() {
        return Ok(());
    }
    let height = GROUP_HEIGHT * u32::try_from(groups.len())? + MARGIN_HEIGHT;
    let area = SVGBackend::new(file, (WIDTH, height)).into_drawing_area();
    paint(&area, &groups).map_err(|error| anyhow!("cannot draw: {error}"))?;
    area.present()
        .with_context(|| format!("cannot write {}", file.display()))
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Painted = Result<(), Box<dyn std::error::Error>>;

fn paint(area: &Area<'_>, groups: &[(&Group, Vec<(Bar, Spread)>)]) -> Painted {
    area.fill(&WHITE)?;
    legend(area)?;
    let rows = f64::from(u32::try_from(groups.len())?);
    let mut chart = ChartBuilder::on(area)
        .margin_top(62)
        .margin_right(30)
        .x_label_area_size(40)
        .y_label_area_size(LABEL_WIDTH)
        .build_cartesian_2d(SCALE.log_scale().base(2.0), rows..0.0)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .y_labels(0)
        .x_labels(8)
        .x_label_formatter(&|times| format!("{times} ×"))
        .light_line_style(TRANSPARENT)
        .draw()?;
    for ((group, bars), row) in groups.iter().zip(0_u32..) {
        let top = f64::from(row);
        let first = top + 0.5 - THICKNESS * f64::from(u32::try_from(group.bars.len())?) / 2.0;
        for ((bar, spread), at) in bars.iter().zip(0_u32..) {
            let upper = first + THICKNESS * f64::from(at);
            let corners = [(1.0, upper), (spread.median, upper + THICKNESS * 0.92)];
            chart.draw_series([Rectangle::new(corners, bar.color.filled())])?;
            let middle = upper + THICKNESS * 0.46;
            let whisker = [(spread.least, middle), (spread.most, middle)];
            chart.draw_series([PathElement::new(whisker, BLACK.stroke_width(1))])?;
            let place = chart.backend_coord(&(spread.median.max(spread.most).max(1.0), middle));
            let text = format!("{:.1} ×", spread.median);
            area.draw(&Text::new(text, (place.0 + 5, place.1 - 6), ("sans-serif", 12)))?;
        }
        let place = chart.backend_coord(&(SCALE.start, top + 0.5));
        area.draw(&Text::new(group.label, (12, place.1 - 7), ("sans-serif", 14)))?;
    }
    let one = [(1.0, 0.0), (1.0, rows)];
    chart.draw_series([PathElement::new(one, BLACK.stroke_width(1))])?;
    Ok(())
}

fn legend(area: &Area<'_>) -> Painted {
    let title = "Messages per second, × ractor_cluster 0.16.5 at both ends (median and range)";
    area.draw(&Text::new(title, (12, 12), ("sans-serif", 16)))?;
    let mut left = 12;
    for (text, bar) in LEGEND {
        area.draw(&Rectangle::new([(left, 39), (left + 12, 51)], bar.color.filled()))?;
        area.draw(&Text::new(*text, (left + 18, 39), ("sans-serif", 13)))?;
        left += 40 + 7 * i32::try_from(text.len())?;
    }
    Ok(())
}
