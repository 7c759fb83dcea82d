//! What arguments are bound to, and what becomes of them from attempt to attempt.

use std::{
    cell::Cell,
    sync::atomic::{AtomicU32, Ordering},
};

use steadfast::{deadline, retry};

use super::{Answer, Peer, sent};

/// Counts how often it is cloned.
#[derive(Debug, Default)]
struct Counted<'c> {
    clones: Option<&'c AtomicU32>,
    steps: u32,
}

impl Clone for Counted<'_> {
    fn clone(&self) -> Self {
        if let Some(clones) = self.clones {
            clones.fetch_add(1, Ordering::Relaxed);
        }
        Self { ..*self }
    }
}

#[deadline("1m")]
#[retry]
#[deadline("1s")]
async fn reads(peer: Peer, read: Counted<'_>, name: String) -> Answer<(u32, usize)> {
    assert_eq!(read.steps, 0);
    Ok((peer.call()?, name.len()))
}

#[tokio::test(start_paused = true)]
async fn what_is_only_read_is_not_cloned() {
    let clones = AtomicU32::new(0);
    let counted = Counted { clones: Some(&clones), steps: 0 };
    assert_eq!(sent(reads(Peer::default(), counted, "name".into())).await, Ok((3, 4)));
    assert_eq!(clones.into_inner(), 0);
}

#[retry]
async fn steps(peer: &Peer, mut own: Counted<'_>, mut bag: Vec<u8>) -> Answer<(u32, usize)> {
    own.steps += 1;
    bag.push(1);
    peer.call()?;
    Ok((own.steps, bag.len()))
}

#[tokio::test(start_paused = true)]
async fn a_mut_argument_starts_afresh_in_each_attempt() {
    let clones = AtomicU32::new(0);
    let counted = Counted { clones: Some(&clones), steps: 0 };
    assert_eq!(sent(steps(&Peer::default(), counted, vec![7])).await, Ok((1, 2)));
    assert_eq!(clones.into_inner(), 3);
}

#[deadline("1m")]
async fn steps_on(mut own: Counted<'_>) -> Answer<u32> {
    own.steps += 1;
    Ok(own.steps)
}

#[tokio::test]
async fn a_deadline_alone_clones_nothing() {
    let clones = AtomicU32::new(0);
    let counted = Counted { clones: Some(&clones), steps: 0 };
    assert_eq!(sent(steps_on(counted)).await, Ok(1));
    assert_eq!(clones.into_inner(), 0);
}

#[retry(clone(text, counted))]
async fn consumes(peer: &Peer, text: String, counted: Counted<'_>) -> Answer<Vec<u8>> {
    let bytes = text.into_bytes();
    let Counted { .. } = std::convert::identity(counted);
    peer.call()?;
    Ok(bytes)
}

#[tokio::test(start_paused = true)]
async fn what_is_named_in_clone_may_be_consumed() {
    let clones = AtomicU32::new(0);
    let counted = Counted { clones: Some(&clones), steps: 0 };
    assert_eq!(sent(consumes(&Peer::default(), "a".into(), counted)).await, Ok(vec![b'a']));
    assert_eq!(clones.into_inner(), 3);
}

#[deadline(limit)]
#[retry(
    clone(name),
    max = u32::from(bag[2]),
    when = |_| name == "name" && bag == [1, 2, 3],
    on_retry = |_| assert_eq!((name.len(), bag.len()), (4, 3)),
)]
async fn settings(
    peer: &Peer,
    limit: std::time::Duration,
    name: String,
    mut bag: Vec<u8>,
) -> Answer<usize> {
    bag.extend(name.into_bytes());
    peer.call()?;
    Ok(bag.len())
}

#[tokio::test(start_paused = true)]
async fn settings_see_the_arguments_as_they_came() {
    let minute = std::time::Duration::from_secs(60);
    let peer = Peer::default();
    assert_eq!(sent(settings(&peer, minute, "name".into(), vec![1, 2, 3])).await, Ok(7));
}

#[retry(clone(cell))]
async fn reads_a_cell(peer: &Peer, cell: Cell<u8>) -> Answer<u8> {
    peer.call()?;
    Ok(cell.get())
}

#[tokio::test(start_paused = true)]
async fn what_is_named_in_clone_need_not_be_sync() {
    assert_eq!(sent(reads_a_cell(&Peer::default(), Cell::new(7))).await, Ok(7));
}

#[deadline("1m")]
#[retry(clone(cell))]
async fn reads_a_cell_in_time(peer: &Peer, cell: Cell<u8>, mut other: Cell<u8>) -> Answer<u8> {
    peer.call()?;
    *other.get_mut() += 1;
    Ok(cell.get() + other.get())
}

#[deadline("1m")]
async fn only_reads_a_cell(cell: Cell<u8>, name: &str) -> Answer<u8> {
    assert_eq!(name, "name");
    Ok(cell.get())
}

#[tokio::test(start_paused = true)]
async fn a_deadline_does_not_ask_for_sync() {
    assert_eq!(
        sent(reads_a_cell_in_time(&Peer::default(), Cell::new(1), Cell::new(1))).await,
        Ok(3)
    );
    assert_eq!(sent(only_reads_a_cell(Cell::new(7), "name")).await, Ok(7));
}

struct Pair {
    left: u32,
    right: Vec<u32>,
}

#[retry]
async fn patterns(
    peer: &Peer,
    (mut sum, (name, _)): (u32, (&str, String)),
    Pair { mut left, right: mut items }: Pair,
    [first, mut second]: [Vec<u32>; 2],
    _: String,
    &factor: &u32,
    mut whole @ (one, _): (u32, u32),
) -> Answer<u32> {
    sum += 1;
    left += 10;
    items.push(100);
    second.extend(&first);
    whole.1 += 1000;
    peer.call()?;
    assert_eq!(name, "name");
    let items: u32 = items.iter().chain(&second).sum();
    Ok(factor * (sum + left + items + whole.1 + one))
}

#[tokio::test(start_paused = true)]
async fn patterns_bind_what_they_say() {
    let pair = Pair { left: 0, right: vec![100] };
    let lists = [vec![1000], vec![1000]];
    let peer = Peer::default();
    let tuple = (0, ("name", String::new()));
    let sum = sent(patterns(&peer, tuple, pair, lists, String::new(), &2, (1, 1))).await;
    assert_eq!(sum, Ok(2 * (1 + 10 + 200 + 2000 + 1001 + 1)));
}

#[retry]
#[deadline("1s")]
async fn conditional(
    peer: &Peer,
    #[cfg(test)] mut here: u32,
    #[cfg(not(test))] mut gone: NoSuchType,
    #[cfg(not(test))] gone_too: NoSuchType,
    #[allow(unused_variables)] unused: u32,
) -> Answer<u32> {
    here += 1;
    peer.call()?;
    Ok(here)
}

#[tokio::test(start_paused = true)]
async fn conditional_arguments_are_there_or_not() {
    assert_eq!(sent(conditional(&Peer::default(), 1, 2)).await, Ok(2));
}

#[retry(max = 5)]
async fn counts(peer: &mut Peer, log: &mut Vec<u32>) -> Answer<u32> {
    log.push(1);
    let call = peer.call()?;
    *peer = Peer::default();
    Ok(call)
}

#[tokio::test(start_paused = true)]
async fn what_is_lent_to_be_changed_keeps_its_changes() {
    let mut log = Vec::new();
    assert_eq!(sent(counts(&mut Peer::default(), &mut log)).await, Ok(3));
    assert_eq!(log, [1, 1, 1]);
}
