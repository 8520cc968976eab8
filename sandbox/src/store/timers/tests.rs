//! When timers fire.

use super::*;

#[test]
fn ticks_stay_where_they_began() {
    let start = Instant::now();
    let ms = |ms| Duration::from_millis(ms);
    for (now, next) in [(0, 10), (3, 10), (9, 10), (10, 20), (25, 30), (1_000_003, 1_000_010)] {
        assert_eq!(next_tick(start, ms(10), start + ms(now)), start + ms(next), "{now}");
    }
}
