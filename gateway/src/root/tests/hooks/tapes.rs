//! Tapes, as a client reads them.

use tidegate_core::{ExecutionId, HookIx, WaveIx, engine::CommandId, plan::HookPhase};

use super::*;
use crate::{
    adapters::journal_memory::MemoryJournal,
    ports::hook_store::{HookStore, TapeKey},
};

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
    let request = v1::ListTapesRequest {
        execution: drill.id.clone(),
    };
    let listed = shelf.hooks.list_tapes(request).await.unwrap().into_inner();
    let id = |attempt| v1::TapeId {
        execution: drill.id.clone(),
        wave: "web".to_owned(),
        phase: v1::HookPhase::PostWave.into(),
        index: 0,
        attempt,
    };
    assert_eq!(listed.tapes, [id(1), id(2)]);

    let request = |id| v1::GetTapeRequest { id: Some(id) };
    let read = shelf.hooks.get_tape(request(id(2))).await.unwrap();
    assert_eq!(read.into_inner().tape, "{\"attempt\":2}");
    let missing = shelf.hooks.get_tape(request(id(3))).await.unwrap_err();
    assert_eq!(reason(&missing), "TAPE_NOT_FOUND");
    let nameless = v1::GetTapeRequest { id: None };
    let nameless = shelf.hooks.get_tape(nameless).await.unwrap_err();
    assert_eq!(nameless.code(), Code::InvalidArgument);
    let unknown = v1::ListTapesRequest {
        execution: fixtures::EXECUTION.to_owned(),
    };
    let unknown = shelf.hooks.list_tapes(unknown).await.unwrap_err();
    assert_eq!(reason(&unknown), "EXECUTION_NOT_FOUND");
}
