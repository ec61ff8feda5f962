//! What is left when the power goes: exactly what was synced.

use std::{
    io,
    sync::{Arc, Mutex},
};

use redb::{StorageBackend, backends::InMemoryBackend};

use super::hooks::{component, tape};
use crate::{
    adapters::journal_redb::{RedbJournal, Settings},
    ports::hook_store::HookStore,
};

#[tokio::test]
async fn an_acknowledged_component_or_tape_survives_a_loss_of_power() {
    let disk = Disk::default();
    let journal = disk.open();
    let (hook, bytes) = component();

    assert!(journal.put(hook.clone(), bytes.clone()).await.unwrap());
    let left = disk.after_power_loss().open();
    assert_eq!(left.list().await.unwrap(), std::slice::from_ref(&hook));
    assert!(left.get(&hook.digest).await.unwrap().as_ref() == Some(&bytes));

    journal.put_tape(tape(), "tape".into()).await.unwrap();
    let left = disk.after_power_loss().open();
    assert_eq!(left.tape(&tape()).await.unwrap().unwrap(), "tape");

    assert!(journal.delete(&hook.digest).await.unwrap());
    let left = disk.after_power_loss().open();
    assert_eq!(left.list().await.unwrap(), []);
    assert_eq!(left.get(&hook.digest).await.unwrap(), None);
    assert_eq!(left.tapes(&"execution".into()).await.unwrap(), [tape()]);
}

#[tokio::test]
async fn a_component_is_there_whole_or_not_at_all_whenever_the_power_goes() {
    let disk = Disk::default();
    let journal = disk.open();
    let (hook, bytes) = component();
    let before = disk.synced.lock().unwrap().len();
    journal.put(hook.clone(), bytes.clone()).await.unwrap();
    let syncs = disk.synced.lock().unwrap().split_off(before - 1);
    let mut found = Vec::new();
    for image in syncs {
        let left = Disk::holding(&image).open();
        // An error here would be a component in parts.
        found.push(left.get(&hook.digest).await.unwrap());
    }
    assert_eq!(found.first(), Some(&None));
    assert!(found.last() == Some(&Some(bytes)));
}

/// A disk that remembers what it held at each sync.
#[derive(Clone, Debug)]
struct Disk {
    bytes: Arc<InMemoryBackend>,
    synced: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Default for Disk {
    fn default() -> Self {
        Self::holding(&[])
    }
}

impl Disk {
    fn holding(image: &[u8]) -> Self {
        let bytes = InMemoryBackend::new();
        bytes.set_len(image.len() as u64).unwrap();
        bytes.write(0, image).unwrap();
        Self {
            bytes: Arc::new(bytes),
            synced: Arc::default(),
        }
    }

    fn open(&self) -> RedbJournal {
        RedbJournal::with_backend(self.clone(), &Settings::default()).unwrap()
    }

    /// Another disk, with what was synced last.
    fn after_power_loss(&self) -> Self {
        let synced = self.synced.lock().unwrap();
        Self::holding(synced.last().expect("something was synced"))
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.bytes.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.bytes.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.bytes.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        let length = self.bytes.len()?;
        let mut image = vec![0; usize::try_from(length).unwrap()];
        self.bytes.read(0, &mut image)?;
        self.synced.lock().unwrap().push(image);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.bytes.write(offset, data)
    }
}
