//! Pages of plans: bounded by their number and by their bytes.

use futures::future::BoxFuture;

use crate::ports::{journal::ReadError, plan_store::StoredPlan};

/// Bytes of plans in a page, except that it has at least one plan: a client
/// reads 4 MiB at most.
const PAGE_BYTES: usize = 2 << 20;
/// Plans that are read at once.
const CHUNK: usize = 16;

/// Some plans, in the order of the list that they are of.
#[derive(Debug)]
pub(super) struct Page {
    /// The plans.
    pub(super) plans: Vec<StoredPlan>,
    /// Whether the list goes on.
    pub(super) more: bool,
}

impl Page {
    /// Fills a page with at most `size` plans. `read` lists what comes after
    /// a plan, or from where the page begins.
    pub(super) async fn fill<'a>(
        size: usize,
        read: impl Fn(Option<&StoredPlan>, usize) -> BoxFuture<'a, Result<Vec<StoredPlan>, ReadError>>,
    ) -> Result<Self, ReadError> {
        let mut plans: Vec<StoredPlan> = Vec::new();
        let mut bytes = 0;
        loop {
            // One more than there is room for tells that the list goes on.
            let limit = CHUNK.min(size - plans.len() + 1);
            let chunk = read(plans.last(), limit).await?;
            let is_last = chunk.len() < limit;
            for plan in chunk {
                bytes += plan.plan.len();
                if plans.len() == size || (bytes > PAGE_BYTES && !plans.is_empty()) {
                    return Ok(Self { plans, more: true });
                }
                plans.push(plan);
            }
            if is_last {
                return Ok(Self { plans, more: false });
            }
        }
    }

    /// The last plan, if the list goes on after it.
    pub(super) fn goes_on_after(&self) -> Option<&StoredPlan> {
        self.plans.last().filter(|_| self.more)
    }
}

#[cfg(test)]
mod tests {
    use tidegate_core::PlanName;

    use super::*;
    use crate::{adapters::journal_memory::MemoryJournal, ports::plan_store::PlanStore};

    const NAME: &str = "shop";

    /// Revisions of one plan, each of some bytes.
    async fn store(sizes: &[usize]) -> MemoryJournal {
        let store = MemoryJournal::new();
        for (revision, &size) in (1..).zip(sizes) {
            let plan = StoredPlan {
                name: NAME.into(),
                revision,
                plan: vec![0; size].into(),
            };
            store.put(plan, None, None).await.unwrap();
        }
        store
    }

    /// The revisions of every page, newest first.
    async fn pages(store: &MemoryJournal, size: usize) -> Vec<Vec<u64>> {
        let name = PlanName::from(NAME);
        let mut pages = Vec::new();
        let mut before = None;
        loop {
            let page = Page::fill(size, |last, limit| {
                let before = last.map(|last| last.revision).or(before);
                store.revisions(&name, before, limit)
            });
            let page = page.await.unwrap();
            pages.push(page.plans.iter().map(|plan| plan.revision).collect());
            match page.goes_on_after() {
                Some(last) => before = Some(last.revision),
                None => return pages,
            }
        }
    }

    #[tokio::test]
    async fn a_page_ends_where_it_is_full() {
        let store = store(&[1; 40]).await;
        let lengths = |pages: Vec<Vec<u64>>| -> Vec<usize> { pages.iter().map(Vec::len).collect() };
        assert_eq!(lengths(pages(&store, 100).await), [40]);
        assert_eq!(lengths(pages(&store, 40).await), [40]);
        assert_eq!(lengths(pages(&store, 39).await), [39, 1]);
        assert_eq!(lengths(pages(&store, 16).await), [16, 16, 8]);
        assert_eq!(pages(&MemoryJournal::new(), 16).await, [[0; 0]]);
    }

    #[tokio::test]
    async fn a_page_ends_before_it_has_too_many_bytes() {
        let half = PAGE_BYTES / 2;
        let store = store(&[half, half, 1, 3 * half, 3 * half, half, half]).await;
        let expected: [&[u64]; 4] = [&[7, 6], &[5], &[4], &[3, 2]];
        let found = pages(&store, 100).await;
        assert_eq!(found[..4], expected);
        assert_eq!(found[4], [1]);
    }
}
