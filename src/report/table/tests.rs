//! Tables on narrow and wide terminals, with and without colour, and as Markdown.

use unicode_width::UnicodeWidthStr;

use super::*;

const POLICIES: [&str; 6] = [
    "no retry",
    "immediate ×3",
    "exponential ×3",
    "exponential ×3, full jitter",
    "the same, with a retry budget",
    "the same, with a circuit breaker",
];

/// Arms of a whole experiment: 3 groups of 6, with goodput, amplification, tails and violations.
fn arms() -> Table {
    let column = |header: &str, align, priority| Column { header: header.into(), align, priority };
    let cell = |text: &str, tone| Cell { text: text.into(), tone };
    let columns = vec![
        column("arm", Align::Left, 0),
        column("success", Align::Right, 0),
        column("goodput per second", Align::Right, 0),
        column("amplification", Align::Right, 0),
        column("p50", Align::Right, 2),
        column("p99", Align::Right, 1),
        column("recovery", Align::Right, 1),
        column("double charges per 10,000", Align::Right, 0),
        column("paid without record per 10,000", Align::Right, 0),
        column("charge without order per 10,000", Align::Right, 0),
        column("accepted orders lost per 10,000", Align::Right, 0),
    ];
    let mut rows = Vec::new();
    for group in ["synchronous, without key", "synchronous, with key", "transactional outbox"] {
        rows.push(Row::Group(group.into()));
        for policy in POLICIES {
            rows.push(Row::Cells(vec![
                cell(policy, Tone::Plain),
                cell("98.7 ±0.3%", Tone::Good),
                cell("96.2 ±0.4", Tone::Plain),
                cell("1.25 ±0.02×", Tone::Warning),
                cell("23.4 ms", Tone::Faint),
                cell("1.20 s", Tone::Plain),
                cell("12.3 ±0.4 s", Tone::Plain),
                cell("812 ±18", Tone::Bad),
                cell("0.2 (0.0–0.5)", Tone::Bad),
                cell("0 (<0.3)", Tone::Good),
                cell("0 (<0.3)", Tone::Good),
            ]));
        }
    }
    Table { columns, rows }
}

fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut parts = text.split('\u{1b}');
    out.push_str(parts.next().unwrap_or(""));
    for part in parts {
        out.push_str(part.split_once('m').map_or("", |(_, rest)| rest));
    }
    out
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    let table = arms();
    for width in (20..=220).chain([80]) {
        for line in table.text(width, false).lines() {
            assert!(line.width() <= width, "{} at {width}: {line}", line.width());
            assert_eq!(line, line.trim_end(), "a line ends in a space");
        }
    }
}

#[test]
fn at_80_columns_every_promise_is_shown_and_nothing_is_cut() {
    let text = arms().text(80, false);
    assert!(!text.contains('…'), "{text}");
    for needed in ["success", "amplification", "double", "lost", "812 ±18", "0 (<0.3)"] {
        assert!(text.contains(needed), "{needed} is missing:\n{text}");
    }
    assert!(text.ends_with("not shown at this width: p50, p99, recovery\n"), "{text}");
    for policy in POLICIES {
        assert!(text.contains(policy), "{policy} is missing");
    }
}

#[test]
fn a_wide_terminal_shows_all_on_one_line_each() {
    let table = arms();
    let text = table.text(300, false);
    assert_eq!(text.lines().count(), 2 + table.rows.len());
    assert!(!text.contains("not shown"));
}

#[test]
fn columns_are_left_out_before_tables_are_stacked() {
    let mut table = arms();
    table.columns.truncate(6);
    let text = table.text(85, false);
    assert!(text.contains("not shown at this width: p50\n"), "{text}");
    assert_eq!(text.matches("─\n").count(), 1, "{text}");
}

#[test]
fn a_name_of_several_columns_is_left_out_once() {
    let mut table = arms();
    let again = table.columns[2].header.clone();
    for column in &mut table.columns[3..] {
        column.header = again.clone();
    }
    let text = table.text(60, false);
    let (_, left_out) = text.split_once("not shown at this width: ").expect(&text);
    assert_eq!(left_out.matches(&again).count(), 1, "{text}");
}

#[test]
fn colour_changes_nothing_but_the_colour() {
    let table = arms();
    for width in [40, 80, 300] {
        let (with, without) = (table.text(width, true), table.text(width, false));
        assert!(!without.contains('\u{1b}'));
        assert!(with.contains("\u{1b}[31m812 ±18\u{1b}[0m"));
        assert_eq!(plain(&with), without);
    }
}

#[test]
fn a_text_too_long_is_cut_visibly_and_controls_are_harmless() {
    let table = Table {
        columns: vec![Column::default(), Column { header: "n".into(), ..Column::default() }],
        rows: vec![Row::Cells(vec![
            Cell { text: "\u{1b}[2J漢字".repeat(20), tone: Tone::Plain },
            Cell { text: "12".into(), tone: Tone::Plain },
        ])],
    };
    let text = table.text(30, false);
    assert!(text.contains('…') && text.contains("12") && !text.contains('\u{1b}'), "{text}");
    assert!(text.lines().all(|line| line.width() <= 30));
}

#[test]
fn small_tables_look_like_this() {
    let mut table = arms();
    table.columns.truncate(3);
    table.rows.truncate(3);
    insta::assert_snapshot!(table.text(80, false), @r"
    arm                success  goodput per second
    ──────────────────────────────────────────────
    synchronous, without key
      no retry      98.7 ±0.3%           96.2 ±0.4
      immediate ×3  98.7 ±0.3%           96.2 ±0.4
    ");
    insta::assert_snapshot!(table.markdown(), @r"
    | arm | success | goodput per second |
    | :-- | --: | --: |
    | **synchronous, without key** |  |  |
    | no retry | 98.7 ±0.3% | 96.2 ±0.4 |
    | immediate ×3 | 98.7 ±0.3% | 96.2 ±0.4 |
    ");
}

#[test]
fn markdown_keeps_every_column_and_escapes_what_it_must() {
    let table = arms();
    let text = table.markdown();
    for line in text.lines() {
        assert_eq!(line.matches('|').count(), table.columns.len() + 1, "{line}");
    }
    let odd = Table {
        columns: vec![Column { header: "a|b".into(), ..Column::default() }],
        rows: vec![Row::Cells(vec![Cell { text: "<b>*x*\n0 (<0.3)".into(), tone: Tone::Plain }])],
    };
    assert_eq!(odd.markdown(), "| a\\|b |\n| :-- |\n| &lt;b>\\*x\\* 0 (<0.3) |\n");
}

#[test]
fn an_empty_table_is_no_reason_to_fail() {
    assert_eq!(Table::default().text(80, false), "");
    let headers = Table { columns: vec![Column::default()], rows: vec![Row::Group(String::new())] };
    let _ = (headers.text(0, true), headers.markdown());
}
