//! Where labels go so that none covers another.

/// A rectangle on the sheet, in pixels, y downwards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rect {
    /// The left edge.
    pub(super) left: f64,
    /// The upper edge.
    pub(super) top: f64,
    /// The right edge.
    pub(super) right: f64,
    /// The lower edge.
    pub(super) bottom: f64,
}

impl Rect {
    /// The area that both cover, in square pixels.
    pub(super) fn overlap(&self, other: &Rect) -> f64 {
        let width = self.right.min(other.right) - self.left.max(other.left);
        let height = self.bottom.min(other.bottom) - self.top.max(other.top);
        width.max(0.0) * height.max(0.0)
    }

    /// Whether `inner` lies inside.
    pub(super) fn holds(&self, inner: &Rect) -> bool {
        inner.left >= self.left
            && inner.right <= self.right
            && inner.top >= self.top
            && inner.bottom <= self.bottom
    }
}

/// Moves positions apart until neighbours are `gap` pixels apart within `low..=high`, each no
/// farther than needed; `None` if there is no room.
pub(super) fn spread(wanted: &[f64], gap: f64, low: f64, high: f64) -> Option<Vec<f64>> {
    if wanted.len().saturating_sub(1) as f64 * gap > high - low {
        return None;
    }
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|&a, &b| wanted[a].total_cmp(&wanted[b]));
    // Blocks of touching labels, each (first, length, where its first label is).
    let mut blocks: Vec<(usize, usize, f64)> = Vec::new();
    for (rank, &index) in order.iter().enumerate() {
        blocks.push((rank, 1, wanted[index].clamp(low, high)));
        while let [.., (before, many, top), (_, more, next)] = blocks[..] {
            if next >= top + many as f64 * gap {
                break;
            }
            let members = &order[before..before + many + more];
            let centred = members.iter().enumerate().map(|(k, &i)| wanted[i] - k as f64 * gap);
            let start = centred.sum::<f64>() / members.len() as f64;
            let room = high - (members.len() - 1) as f64 * gap;
            blocks.pop();
            blocks.pop();
            blocks.push((before, many + more, start.clamp(low, room)));
        }
    }
    let mut placed = vec![0.0; wanted.len()];
    for (first, length, start) in blocks {
        for k in 0..length {
            placed[order[first + k]] = start + k as f64 * gap;
        }
    }
    Some(placed)
}

/// Something to label: a mark, and the size of the text that belongs beside it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish {
    /// The middle of the mark.
    pub(super) at: (f64, f64),
    /// The radius of the mark.
    pub(super) radius: f64,
    /// The width and height of the text.
    pub(super) size: (f64, f64),
}

/// What labels should keep off: touching it costs `cost` for each square pixel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Obstacle {
    pub(super) area: Rect,
    /// How bad it is to cover it.
    pub(super) cost: f64,
}

/// Places each text near its mark, inside `frame`, off the obstacles and off one another.
///
/// The marks with the most neighbours choose first. A text that finds no place beside its mark
/// moves away from it in rings; the caller joins the two by a line.
pub(super) fn beside(wishes: &[Wish], obstacles: &[Obstacle], frame: &Rect) -> Vec<Rect> {
    let mut order: Vec<usize> = (0..wishes.len()).collect();
    let neighbours = |index: usize| {
        let (x, y) = wishes[index].at;
        let near = |other: &&Wish| (other.at.0 - x).abs() < 80.0 && (other.at.1 - y).abs() < 30.0;
        wishes.iter().filter(near).count()
    };
    order.sort_by_key(|&index| (std::cmp::Reverse(neighbours(index)), index));
    let mut placed: Vec<Option<Rect>> = vec![None; wishes.len()];
    for index in order {
        let taken: Vec<Rect> = placed.iter().flatten().copied().collect();
        let cost = |rect: &Rect| cost(rect, &wishes[index], obstacles, &taken, frame);
        let best = candidates(&wishes[index])
            .into_iter()
            .min_by(|a, b| cost(a).total_cmp(&cost(b)))
            .expect("there is always a candidate");
        placed[index] = Some(best);
    }
    placed.into_iter().flatten().collect()
}

/// How far apart a mark and its text are: from the middle of the mark to the nearest edge.
pub(super) fn distance(at: (f64, f64), rect: &Rect) -> f64 {
    let dx = (rect.left - at.0).max(at.0 - rect.right).max(0.0);
    let dy = (rect.top - at.1).max(at.1 - rect.bottom).max(0.0);
    (dx * dx + dy * dy).sqrt()
}

fn cost(rect: &Rect, wish: &Wish, obstacles: &[Obstacle], taken: &[Rect], frame: &Rect) -> f64 {
    let mut cost = 2.0 * distance(wish.at, rect);
    for obstacle in obstacles {
        cost += obstacle.cost * rect.overlap(&obstacle.area);
    }
    for other in taken {
        cost += 1e6 * rect.overlap(other);
    }
    if frame.holds(rect) { cost } else { cost + 1e7 }
}

/// Places around a mark, the preferred ones first: right, left, above, below, then the corners.
fn candidates(wish: &Wish) -> Vec<Rect> {
    const SIDES: [(f64, f64); 16] = [
        (1.0, 0.0),
        (-1.0, 0.0),
        (0.0, -1.0),
        (0.0, 1.0),
        (0.8, -0.7),
        (0.8, 0.7),
        (-0.8, -0.7),
        (-0.8, 0.7),
        (0.9, -0.35),
        (0.9, 0.35),
        (-0.9, -0.35),
        (-0.9, 0.35),
        (0.4, -0.9),
        (0.4, 0.9),
        (-0.4, -0.9),
        (-0.4, 0.9),
    ];
    let (width, height) = wish.size;
    let mut out = Vec::new();
    for ring in 0..14_u32 {
        let reach = wish.radius + 3.0 + 11.0 * f64::from(ring);
        for (x, y) in SIDES {
            let left = wish.at.0 + x * reach + (x.clamp(-0.8, 0.8) / 0.8 - 1.0) * width / 2.0;
            let top = wish.at.1 + y * reach + (y - 1.0) * height / 2.0;
            out.push(Rect { left, top, right: left + width, bottom: top + height });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_keeps_the_gap_the_order_and_the_limits() {
        let cases: [&[f64]; 4] =
            [&[10.0, 10.0, 10.0], &[0.0, 100.0], &[99.0, 98.0, 97.0, 10.0], &[-50.0, 500.0]];
        for wanted in cases {
            let placed = spread(wanted, 12.0, 0.0, 100.0).unwrap();
            for a in 0..wanted.len() {
                assert!((-1e-9..=100.0 + 1e-9).contains(&placed[a]), "{placed:?}");
                for b in 0..a {
                    assert!((placed[a] - placed[b]).abs() >= 12.0 - 1e-9, "{placed:?}");
                    if wanted[a] < wanted[b] {
                        assert!(placed[a] < placed[b], "{placed:?}");
                    }
                }
            }
        }
        assert_eq!(spread(&[5.0, 50.0], 12.0, 0.0, 100.0), Some(vec![5.0, 50.0]));
        assert_eq!(spread(&[0.0; 10], 12.0, 0.0, 100.0), None);
    }

    #[test]
    fn texts_in_a_crowd_do_not_cover_each_other() {
        let frame = Rect { left: 0.0, top: 0.0, right: 600.0, bottom: 400.0 };
        let wishes: Vec<Wish> = (0..18)
            .map(|k| Wish {
                at: (300.0 + f64::from(k % 3) * 6.0, 200.0 + f64::from(k / 3) * 5.0),
                radius: 5.0,
                size: (70.0, 14.0),
            })
            .collect();
        let placed = beside(&wishes, &[], &frame);
        for (index, rect) in placed.iter().enumerate() {
            assert!(frame.holds(rect));
            assert!(placed[..index].iter().all(|other| other.overlap(rect) == 0.0), "{index}");
        }
    }
}
