//! Makes things on all threads, and hands them over in order.

use std::ops::ControlFlow;

/// Things of each thread that are made at a time.
const EACH: usize = 2;

/// Calls `make` for each number below `count`, on all threads of the current rayon pool, and `take` with what was made,
/// in order and on one thread at a time, while the next ones are made. Makes 4 things a thread, and reuses them. Ends
/// early if `take` breaks.
pub fn in_order<T, B>(
    count: u64,
    make: impl Fn(u64, &mut T) + Sync,
    mut take: impl FnMut(&mut T) -> ControlFlow<B> + Send,
) -> ControlFlow<B>
where
    T: Default + Send,
    B: Send,
{
    let size = rayon::current_num_threads() * EACH;
    let new = || (0..size).map(|_| T::default()).collect::<Vec<T>>();
    let (mut made, mut next) = (new(), new());
    let mut ready = 0;
    let mut at = 0;
    loop {
        let more = (size as u64).min(count - at) as usize;
        let (taken, ()) = rayon::join(
            || made[..ready].iter_mut().try_for_each(&mut take),
            || {
                rayon::scope(|scope| {
                    for (number, thing) in (at..).zip(&mut next[..more]) {
                        let make = &make;
                        scope.spawn(move |_| make(number, thing));
                    }
                });
            },
        );
        taken?;
        if more == 0 {
            return ControlFlow::Continue(());
        }
        at += more as u64;
        ready = more;
        std::mem::swap(&mut made, &mut next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_once_and_in_order() {
        for threads in [1, 2, 5] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            for count in [0, 1, 7, 100] {
                let mut taken = Vec::new();
                let done = pool.install(|| {
                    in_order(
                        count,
                        |number, thing| *thing = number * 3,
                        |thing: &mut u64| {
                            taken.push(*thing);
                            ControlFlow::<()>::Continue(())
                        },
                    )
                });
                assert_eq!(done, ControlFlow::Continue(()));
                assert_eq!(taken, (0..count).map(|number| number * 3).collect::<Vec<_>>(), "{threads} threads");
            }
        }
    }

    #[test]
    fn it_ends_where_it_is_told() {
        let mut taken = 0;
        let done = in_order(
            1_000,
            |number, thing| *thing = number,
            |thing: &mut u64| {
                taken += 1;
                if *thing == 10 { ControlFlow::Break("enough") } else { ControlFlow::Continue(()) }
            },
        );
        assert_eq!((done, taken), (ControlFlow::Break("enough"), 11));
    }
}
