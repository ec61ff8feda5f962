//! An exhaustive search of a model's states, breadth first.
//!
//! States are compared whole and not by a digest, so nothing is skipped by a
//! collision. Two things are reported that a search for broken rules alone
//! would not show: the states in which a run ends, and whether the steps form
//! a circle. Without circles every run ends, so that "every end is a good
//! one" means "in the end it is good, whatever happens".

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, hash_map::Entry},
    fmt::Debug,
    hash::Hash,
    rc::Rc,
    time::{Duration, Instant},
};

/// A finite world and its rules.
pub(crate) trait Model {
    type State: Clone + Eq + Hash;
    type Step: Copy + Debug + Ord;

    fn first(&self) -> Self::State;

    /// Everything that can happen next, with what comes of it.
    fn steps(&self, state: &Self::State) -> Vec<(Self::Step, Self::State)>;

    /// The rules that a state breaks. It is an end if nothing can happen.
    fn broken(&self, state: &Self::State, is_end: bool) -> Vec<&'static str>;
}

/// What a search has found.
#[derive(Debug)]
pub(crate) struct Explored<Step> {
    pub(crate) states: usize,
    pub(crate) steps: usize,
    /// States in which nothing can happen.
    pub(crate) ends: usize,
    /// Steps of the longest of all shortest ways.
    pub(crate) depth: usize,
    pub(crate) took: Duration,
    /// A shortest way to a state that breaks each broken rule.
    pub(crate) broken: BTreeMap<&'static str, Vec<Step>>,
    /// Every step that ever happened.
    pub(crate) happened: BTreeSet<Step>,
    pub(crate) has_circle: bool,
}

/// How a state was reached first.
struct Way<Step> {
    from: usize,
    by: Option<Step>,
    depth: usize,
}

/// Visits every state that can be reached, or, with rules to break, those
/// that come before all of them are broken.
pub(crate) fn explore<M: Model>(model: &M, until: &[&'static str]) -> Explored<M::Step> {
    let began = Instant::now();
    let first = Rc::new(model.first());
    let mut known = HashMap::from([(Rc::clone(&first), 0)]);
    let mut states = vec![first];
    let mut ways: Vec<Way<M::Step>> = vec![Way {
        from: 0,
        by: None,
        depth: 0,
    }];
    let mut edges: Vec<Vec<usize>> = Vec::new();
    let mut found = Explored {
        states: 0,
        steps: 0,
        ends: 0,
        depth: 0,
        took: Duration::ZERO,
        broken: BTreeMap::new(),
        happened: BTreeSet::new(),
        has_circle: false,
    };
    while let Some(state) = states.get(edges.len()).cloned() {
        let at = edges.len();
        let next = model.steps(&state);
        found.ends += usize::from(next.is_empty());
        for rule in model.broken(&state, next.is_empty()) {
            let way = || way_to(&ways, at);
            found.broken.entry(rule).or_insert_with(way);
        }
        let is_broken = |rule| found.broken.contains_key(rule);
        if !until.is_empty() && until.iter().copied().all(is_broken) {
            break;
        }
        let mut to = Vec::with_capacity(next.len());
        for (step, state) in next {
            found.happened.insert(step);
            let state = Rc::new(state);
            to.push(match known.entry(Rc::clone(&state)) {
                Entry::Occupied(old) => *old.get(),
                Entry::Vacant(new) => {
                    ways.push(Way {
                        from: at,
                        by: Some(step),
                        depth: ways[at].depth + 1,
                    });
                    states.push(state);
                    *new.insert(states.len() - 1)
                }
            });
        }
        edges.push(to);
    }
    found.states = states.len();
    found.steps = edges.iter().map(Vec::len).sum();
    found.depth = ways.last().map_or(0, |way| way.depth);
    // Of a search that was stopped, not every edge is known.
    found.has_circle = edges.len() == states.len() && has_circle(&edges);
    found.took = began.elapsed();
    found
}

fn way_to<Step: Copy>(ways: &[Way<Step>], mut at: usize) -> Vec<Step> {
    let mut steps = Vec::new();
    while let Some(step) = ways[at].by {
        steps.push(step);
        at = ways[at].from;
    }
    steps.reverse();
    steps
}

/// Takes away, again and again, what nothing leads to; a circle is left over.
fn has_circle(edges: &[Vec<usize>]) -> bool {
    let mut leading_to = vec![0_usize; edges.len()];
    for &to in edges.iter().flatten() {
        leading_to[to] += 1;
    }
    let mut free: Vec<usize> = (0..edges.len()).filter(|&at| leading_to[at] == 0).collect();
    let mut taken = 0;
    while let Some(at) = free.pop() {
        taken += 1;
        for &to in &edges[at] {
            leading_to[to] -= 1;
            if leading_to[to] == 0 {
                free.push(to);
            }
        }
    }
    taken < edges.len()
}
