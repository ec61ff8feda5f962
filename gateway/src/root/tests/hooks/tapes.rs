//! Tapes, as a client reads them.

use tidegate_core::{ExecutionId, HookIx, WaveIx, engine::CommandId, plan::HookPhase};

use super::*;
use crate::{
    adapters::journal_memory::MemoryJournal,
    ports::hook_store::{HookStore, TAPE_BYTES, TapeKey},
};

impl Shelf {
    /// All parts of a tape, together.
    async fn tape(&mut self, id: v1::TapeId) -> Result<Vec<u8>, Status> {
        let request = v1::DownloadTapeRequest { id: Some(id) };
        let mut parts = self.hooks.download_tape(request).await?.into_inner();
        let mut read = Vec::new();
        while let Some(part) = parts.next().await {
            read.extend(part?.data);
        }
        Ok(read)
    }
}

/// The first attempt of the hook that verifies `web`.
fn first_attempt(execution: &str) -> (TapeKey, v1::TapeId) {
    let key = TapeKey {
        execution: ExecutionId::from(execution),
        command: CommandId::Hook {
            wave: WaveIx(1),
            phase: HookPhase::PostWave,
            hook: HookIx(0),
            attempt: 1,
        },
    };
    let id = v1::TapeId {
        execution: execution.to_owned(),
        wave: "web".to_owned(),
        phase: v1::HookPhase::PostWave.into(),
        index: 0,
        attempt: 1,
    };
    (key, id)
}

/// A client takes messages of 4 MiB.
#[tokio::test]
async fn the_largest_tape_reaches_a_client_that_sets_nothing() {
    let store = Arc::new(MemoryJournal::new());
    let kept = Arc::clone(&store) as Arc<dyn HookStore>;
    let mut shelf = Shelf::on(Arc::default(), |ports| ports.hook_store = kept).await;
    shelf.fake.add("tcp");
    let plan = fixtures::verified_shop(&["tcp"]);
    shelf.apply(plan).await.unwrap();
    let drill = shelf.world.start_drill("shop", "first").await.unwrap();
    let (key, id) = first_attempt(&drill.id);
    let largest = vec![b'x'; TAPE_BYTES];
    store.put_tape(key, largest.clone().into()).await.unwrap();

    assert!(shelf.tape(id).await.unwrap() == largest);
}

#[tokio::test]
async fn tapes_of_an_execution_are_listed_and_read() {
    let store = Arc::new(MemoryJournal::new());
    let kept = Arc::clone(&store) as Arc<dyn HookStore>;
    let mut shelf = Shelf::on(Arc::default(), |ports| ports.hook_store = kept).await;
    shelf.fake.add("tcp");
    shelf
        .apply(fixtures::verified_shop(&["tcp"]))
        .await
        .unwrap();
    let drill = shelf.world.start_drill("shop", "first").await.unwrap();
    let tape = |attempt| TapeKey {
        execution: ExecutionId::from(drill.id.as_str()),
        command: CommandId::Hook {
            wave: WaveIx(1),
            phase: HookPhase::PostWave,
            hook: HookIx(0),
            attempt,
        },
    };
    for attempt in [2, 1] {
        let text = format!("{{\"attempt\":{attempt}}}");
        store.put_tape(tape(attempt), text.into()).await.unwrap();
    }
    let request = |page_size, page_token| v1::ListTapesRequest {
        execution: drill.id.clone(),
        page_size,
        page_token,
    };
    let listed = shelf.hooks.list_tapes(request(0, String::new())).await;
    let listed = listed.unwrap().into_inner();
    assert_eq!(listed.next_page_token, "");
    let id = |attempt| v1::TapeId {
        execution: drill.id.clone(),
        wave: "web".to_owned(),
        phase: v1::HookPhase::PostWave.into(),
        index: 0,
        attempt,
    };
    assert_eq!(listed.tapes, [id(1), id(2)]);

    let first = shelf.hooks.list_tapes(request(1, String::new())).await;
    let first = first.unwrap().into_inner();
    let token = first.next_page_token;
    let second = shelf.hooks.list_tapes(request(1, token.clone())).await;
    let second = second.unwrap().into_inner();
    assert_eq!((first.tapes, second.tapes), (vec![id(1)], vec![id(2)]));
    assert_eq!(second.next_page_token, "");
    for wrong in ["x", &token[1..]] {
        let refused = shelf.hooks.list_tapes(request(1, wrong.to_owned())).await;
        let refused = refused.unwrap_err();
        let bad = refused.get_details_bad_request().unwrap();
        assert_eq!(bad.field_violations[0].field, "page_token");
    }

    assert_eq!(shelf.tape(id(2)).await.unwrap(), b"{\"attempt\":2}");
    let missing = shelf.tape(id(3)).await.unwrap_err();
    assert_eq!(reason(&missing), "TAPE_NOT_FOUND");
    let nameless = v1::DownloadTapeRequest { id: None };
    let nameless = shelf.hooks.download_tape(nameless).await.unwrap_err();
    assert_eq!(nameless.code(), Code::InvalidArgument);
    let unknown = v1::ListTapesRequest {
        execution: fixtures::EXECUTION.to_owned(),
        ..v1::ListTapesRequest::default()
    };
    let unknown = shelf.hooks.list_tapes(unknown).await.unwrap_err();
    assert_eq!(reason(&unknown), "EXECUTION_NOT_FOUND");
}
