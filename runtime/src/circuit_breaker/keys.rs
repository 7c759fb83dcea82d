//! A breaker for each key: a host, a tenant.

use std::{
    collections::HashMap,
    fmt::Debug,
    hash::{BuildHasher, Hash, RandomState},
    mem::replace,
    sync::{
        Arc, Mutex, OnceLock, Weak,
        atomic::{AtomicU32, Ordering},
    },
};

use super::{
    core::{Core, NOBODY},
    settings::Settings,
};
use crate::locked::locked;

/// The breakers of the keys of one breaker, by the keys' hashes.
///
/// A breaker, once made, stays where it is, and is handed from a key that has gone quiet to one that
/// is new. So a call borrows it and counts no references, and what a call of the former key still
/// brings meets another generation.
///
/// Two keys meet in one breaker if their 63-bit hashes do, which are keyed by chance for each
/// family: among 10 000 keys, in one of 10^11 families.
#[derive(Debug)]
pub(super) struct Keys {
    root: Weak<Core>,
    name: &'static str,
    settings: Settings,
    hasher: RandomState,
    /// The breakers, in chunks that never move: 16, then 16, 32, 64…
    chunks: [OnceLock<Chunk>; CHUNKS],
    /// Where a key's breaker may be found without the lock, two places for each rest of a hash; they
    /// may forget, and are never trusted.
    hints: Box<[[AtomicU32; 2]]>,
    places: Mutex<Places>,
}

type Chunk = Box<[OnceLock<Arc<Core>>]>;

/// Which key is where.
#[derive(Debug, Default)]
struct Places {
    of: HashMap<u64, u32>,
    made: u32,
    /// The next place to look for a breaker that has gone quiet.
    hand: u32,
    /// Whose each is, and how active it was last time.
    seen: Vec<(u64, u64)>,
}

impl Keys {
    pub(super) fn new(root: &Arc<Core>) -> Self {
        let (name, settings) = (root.name, root.settings);
        let hints = settings.max_keys.min(MOST_HINTS).next_power_of_two();
        Self {
            root: Arc::downgrade(root),
            name,
            settings,
            hasher: RandomState::new(),
            chunks: [const { OnceLock::new() }; CHUNKS],
            hints: (0..hints).map(|_| [const { AtomicU32::new(NOWHERE) }; 2]).collect(),
            places: Mutex::default(),
        }
    }

    /// The hash of a key, which is never zero.
    #[inline]
    pub(super) fn hash<K: Hash + ?Sized>(&self, key: &K) -> u64 {
        self.hasher.hash_one(key) | 1
    }

    /// The breaker of a key; `None` if every breaker is in use by another and open.
    #[inline]
    pub(super) fn find<K: Debug + ?Sized>(&self, hash: u64, key: &K) -> Option<&Arc<Core>> {
        let hints = &self.hints[self.hint_of(hash)];
        for hint in hints {
            let core = self.at(hint.load(Ordering::Acquire));
            if core.is_some_and(|core| core.hash.load(Ordering::Acquire) == hash) {
                return core;
            }
        }
        self.find_or_make(hash, hints, &|| text(key))
    }

    pub(super) fn all(&self) -> Vec<Arc<Core>> {
        let made = locked(&self.places).made;
        (0..made).filter_map(|place| self.at(place).cloned()).collect()
    }

    #[allow(clippy::cast_possible_truncation, reason = "what is cut off is not used")]
    #[inline]
    fn hint_of(&self, hash: u64) -> usize {
        (hash >> 1) as usize & (self.hints.len() - 1)
    }

    #[inline]
    fn at(&self, place: u32) -> Option<&Arc<Core>> {
        let (chunk, offset) = chunk_of(place);
        self.chunks.get(chunk)?.get()?.get(offset)?.get()
    }

    #[cold]
    #[inline(never)]
    fn find_or_make(
        &self,
        hash: u64,
        hints: &[AtomicU32; 2],
        text: &dyn Fn() -> Arc<str>,
    ) -> Option<&Arc<Core>> {
        let known = locked(&self.places).of.get(&hash).copied();
        let place = match known {
            Some(place) => place,
            // The text is the user's to make, and so not under the lock.
            None => self.hand_out(hash, text())?,
        };
        let is_free = |hint: &&AtomicU32| hint.load(Ordering::Relaxed) == NOWHERE;
        let hint = hints.iter().find(is_free).unwrap_or(&hints[usize::from(hash >> 63 == 1)]);
        hint.store(place, Ordering::Release);
        self.at(place)
    }

    /// A breaker for a new key: one more, or that of a key which has gone quiet.
    fn hand_out(&self, hash: u64, text: Arc<str>) -> Option<u32> {
        let mut places = locked(&self.places);
        if let Some(place) = places.of.get(&hash) {
            return Some(*place);
        }
        let place = if places.made < self.settings.max_keys {
            places.made += 1;
            places.made - 1
        } else {
            self.quiet(&mut places)?
        };
        let core = self.make_at(place)?;
        places.of.insert(hash, place);
        // Whoever calls once and never again is the first to go.
        let with_this_call = core.machine.activity() + 1;
        let made = places.made as usize;
        places.seen.resize(made, (NOBODY, 0));
        let (before, _) = replace(&mut places.seen[place as usize], (hash, with_this_call));
        if before != NOBODY {
            places.of.remove(&before);
        }
        core.hand_to(hash, text);
        Some(place)
    }

    fn make_at(&self, place: u32) -> Option<&Arc<Core>> {
        let (chunk, offset) = chunk_of(place);
        let slots = self.chunks.get(chunk)?.get_or_init(|| {
            (0..FIRST_CHUNK << chunk.saturating_sub(1)).map(|_| OnceLock::new()).collect()
        });
        let make = || Arc::new(Core::new(self.name, self.settings, self.root.clone()));
        Some(slots.get(offset)?.get_or_init(make))
    }

    /// A closed breaker that nobody has called since the hand last came by, made as new; an open one
    /// never. Where the hand finds none for a while, it takes what it can get.
    fn quiet(&self, places: &mut Places) -> Option<u32> {
        let (patience, steps) =
            (places.made.min(PATIENCE), (2 * u64::from(places.made)).min(STEPS));
        for step in 0..steps {
            let place = places.hand;
            places.hand = (places.hand + 1) % places.made;
            let core = self.at(place)?;
            let activity = core.machine.activity();
            let (_, seen) = &mut places.seen[place as usize];
            let was_quiet = replace(seen, activity) == activity;
            let is_ours_alone = Arc::strong_count(core) == 1;
            if is_ours_alone && (was_quiet || step >= patience.into()) && core.take_back() {
                return Some(place);
            }
        }
        None
    }
}

/// How a key is told of: as its `Debug` shows it, a string without its quotes, and not all of what
/// a stranger may have sent.
fn text<K: Debug + ?Sized>(key: &K) -> Arc<str> {
    let text = format!("{key:?}");
    let bare = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(&text);
    match bare.char_indices().nth(LONGEST_TEXT) {
        Some((end, _)) => format!("{}…", &bare[..end]).into(),
        None => bare.into(),
    }
}

/// Which chunk a place is in, and where in it.
#[inline]
const fn chunk_of(place: u32) -> (usize, usize) {
    let sixteens = place as usize / FIRST_CHUNK;
    if sixteens == 0 {
        return (0, place as usize);
    }
    let chunk = sixteens.ilog2() as usize;
    (chunk + 1, place as usize - (FIRST_CHUNK << chunk))
}

const FIRST_CHUNK: usize = 16;

/// As many as hold `u32::MAX` places.
const CHUNKS: usize = 29;

const NOWHERE: u32 = u32::MAX;

/// How many breakers of keys are looked at for a new one: it holds all others up.
const STEPS: u64 = 128;

/// How many of them before it must no longer be one that has gone quiet.
const PATIENCE: u32 = 64;

/// In characters.
const LONGEST_TEXT: usize = 256;

/// 32 KB of them.
const MOST_HINTS: u32 = 1 << 12;
