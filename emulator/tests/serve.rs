//! The emulator on a socket: it serves, and it ends when it is told to.

use tidegate_emulator::{Emulator, EmulatorClock, Scenario, Settings, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

#[tokio::test]
async fn it_serves_until_shutdown_and_then_ends() {
    let scenario = Scenario::built_in("shop").unwrap();
    let emulator = Emulator::new(Settings {
        scenario,
        clock: EmulatorClock::Manual,
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async move { drop(stopped.await) };
    let server = tokio::spawn(serve(listener, emulator, shutdown));

    let mut idle = TcpStream::connect(address).await.unwrap();
    let head = "GET /_emulator/state HTTP/1.1\r\nhost: emulator\r\n\r\n";
    idle.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4_096];
    let length = idle.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..length]);
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");

    // A connection that is merely kept alive does not hold the end up.
    stop.send(()).unwrap();
    server.await.unwrap().unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}
