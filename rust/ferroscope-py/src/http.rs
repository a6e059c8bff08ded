//! `HttpEngine` and `HttpExchange`: the transport's engine, on an asyncio event loop or for one blocking thread.
//!
//! The lock of the engine is never held while Python code runs, so a thread may wait for it with the GIL.

use ferroscope_transport::Error;
use ferroscope_transport::engine::{Body, Engine, Next, Waker};
use ferroscope_transport::pool::Limits;
use ferroscope_transport::request::{Origin, Request, Timeouts};
use ferroscope_transport::response::Head;
use ferroscope_transport::tls::{Identity, Roots, Tls};
use ferroscope_transport::tunnel::Proxy;
use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBool, PyBytes, PyList, PyTuple};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The number of forks before this process. An engine of a parent process must not be used, because its sockets belong
/// to the parent.
static FORKS: AtomicU64 = AtomicU64::new(0);

/// Records that this process was forked.
#[pyfunction]
pub fn http_forked() {
    FORKS.fetch_add(1, Ordering::Relaxed);
}

/// The TLS settings of connections.
#[pyclass(frozen, module = "ferroscope._core")]
pub struct TlsSettings {
    tls: Tls,
}

#[pymethods]
impl TlsSettings {
    #[new]
    #[pyo3(signature = (cafile=None, certificates=None, key=None))]
    fn new(
        py: Python<'_>,
        cafile: Option<PathBuf>,
        certificates: Option<PathBuf>,
        key: Option<PathBuf>,
    ) -> PyResult<Self> {
        let roots = cafile.map_or(Roots::Platform, Roots::File);
        let identity = certificates
            .map(|certificates| Identity { key: key.unwrap_or_else(|| certificates.clone()), certificates });
        let tls = py.detach(|| Tls::load(&roots, identity.as_ref())).map_err(PyOSError::new_err)?;
        Ok(Self { tls })
    }
}

/// The host, the port and the headers of a proxy that opens tunnels.
type ProxyArguments = (String, u16, Vec<(PyBackedBytes, PyBackedBytes)>);

/// The connections of one asyncio event loop, or of a thread that waits for the descriptor itself.
#[pyclass(frozen, module = "ferroscope._core")]
pub struct HttpEngine {
    engine: Mutex<Engine>,
    /// The event loop and its method `create_future`; `None` for a thread that waits itself.
    event_loop: Option<(Py<PyAny>, Py<PyAny>)>,
    /// Ends the wait of such a thread.
    waker: Option<Waker>,
    /// The futures that the readers of the exchanges wait for, by exchange key.
    waiters: Mutex<Vec<Option<Py<PyAny>>>>,
    /// The loop's timer, which all deadlines share.
    timer: Mutex<Option<(Instant, Py<PyAny>)>>,
    forks: u64,
}

#[pymethods]
impl HttpEngine {
    #[new]
    #[pyo3(signature = (event_loop))]
    fn new(event_loop: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let engine = Engine::new()?;
        let create_future = event_loop.map(|it| it.getattr("create_future")).transpose()?;
        Ok(Self {
            waker: if event_loop.is_some() { None } else { Some(engine.waker()?) },
            engine: Mutex::new(engine),
            event_loop: event_loop
                .zip(create_future)
                .map(|(event_loop, create)| (event_loop.clone().unbind(), create.unbind())),
            waiters: Mutex::default(),
            timer: Mutex::default(),
            forks: FORKS.load(Ordering::Relaxed),
        })
    }

    /// Returns the descriptor that the event loop watches; `poll` is its callback.
    fn fileno(&self) -> i32 {
        self.lock().descriptor()
    }

    /// Reads and writes on the ready connections, and resolves the futures of exchanges that can continue.
    fn poll(slf: &Bound<'_, Self>) -> PyResult<()> {
        let this = slf.get();
        if this.is_inherited() {
            return Ok(());
        }
        slf.py().detach(|| this.lock().turn())?;
        Self::resolve_ready(slf)
    }

    /// Ends the exchanges whose timeout has passed.
    fn expire(slf: &Bound<'_, Self>) -> PyResult<()> {
        let this = slf.get();
        if this.is_inherited() {
            return Ok(());
        }
        *this.timer.lock().unwrap_or_else(PoisonError::into_inner) = None;
        this.lock().expire(Instant::now());
        Self::resolve_ready(slf)
    }

    /// Returns the seconds until the next call of `expire`; `None` if there is no timeout.
    ///
    /// Zero if `poll` has work that the descriptor does not show. Only a thread that waits itself needs this.
    fn seconds_left(&self) -> Option<f64> {
        let engine = self.lock();
        if engine.has_more() {
            return Some(0.0);
        }
        engine.wake_at().map(|at| at.saturating_duration_since(Instant::now()).as_secs_f64())
    }

    /// Returns the key of a new pool.
    #[pyo3(signature = (max_connections, max_keepalive, keepalive_expiry, tls))]
    fn add_pool(
        &self,
        max_connections: Option<usize>,
        max_keepalive: Option<usize>,
        keepalive_expiry: Option<f64>,
        tls: Option<&Bound<'_, TlsSettings>>,
    ) -> PyResult<usize> {
        let limits = Limits { max_connections, max_keepalive, keepalive_expiry: duration(keepalive_expiry)? };
        Ok(self.lock().add_pool(limits, tls.map(|tls| tls.get().tls.clone())))
    }

    /// Closes the connections of a pool. Its exchanges fail.
    fn close_pool(slf: &Bound<'_, Self>, pool: usize) -> PyResult<()> {
        if slf.get().is_inherited() {
            return Ok(());
        }
        slf.get().lock().close_pool(pool);
        Self::resolve_ready(slf)
    }

    /// Cancels the timer of an engine that is no longer used.
    fn stop(&self, py: Python<'_>) -> PyResult<()> {
        let timer = self.timer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((_, handle)) = timer {
            handle.call_method0(py, intern!(py, "cancel"))?;
        }
        Ok(())
    }

    /// Returns the numbers of open connections, of idle ones among them, and of requests that wait for one.
    fn counts(&self, pool: usize) -> (usize, usize, usize) {
        let counts = self.lock().counts(pool);
        (counts.connections, counts.idle, counts.queued)
    }

    /// Starts a request. `make_error` returns the exception for an error's class name and message.
    #[pyo3(signature = (pool, origin, method, target, headers, body, timeouts, make_error))]
    #[allow(clippy::too_many_arguments, reason = "one crossing for a whole request")]
    fn start(
        slf: &Bound<'_, Self>,
        pool: usize,
        origin: (bool, String, u16, Option<String>, Option<ProxyArguments>),
        method: &[u8],
        target: &[u8],
        headers: Vec<(PyBackedBytes, PyBackedBytes)>,
        body: &[u8],
        timeouts: [Option<f64>; 4],
        make_error: Py<PyAny>,
    ) -> PyResult<HttpExchange> {
        let py = slf.py();
        let (tls, host, port, server_name, proxy) = origin;
        let [connect, read, write, free] = timeouts;
        let timeouts = Timeouts {
            connect: duration(connect)?,
            read: duration(read)?,
            write: duration(write)?,
            pool: duration(free)?,
        };
        let headers = headers.iter().map(|(name, value)| (&name[..], &value[..]));
        let this = slf.get();
        this.check()?;
        let open_tunnel = |(proxy_host, proxy_port, headers): ProxyArguments| {
            let headers = headers.iter().map(|(name, value)| (&name[..], &value[..]));
            Proxy::new(proxy_host, proxy_port, (&host, port), headers).map(Arc::new)
        };
        let proxy = proxy.map(open_tunnel).transpose().map_err(|error| raise(py, &make_error, &error))?;
        let origin = Origin { tls, host, port, server_name, proxy };
        let request = Request::new(origin, timeouts, method, target, headers, body)
            .map_err(|error| raise(py, &make_error, &error))?;
        let key = this.lock().start(pool, request);
        let exchange =
            HttpExchange { engine: slf.clone().unbind(), key, closed: AtomicBool::new(false), make_error };
        Self::resolve_ready(slf)?;
        Ok(exchange)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Some((event_loop, create_future)) = &self.event_loop {
            visit.call(event_loop)?;
            visit.call(create_future)?;
        }
        if let Ok(waiters) = self.waiters.try_lock() {
            for waiter in waiters.iter().flatten() {
                visit.call(waiter)?;
            }
        }
        if let Ok(timer) = self.timer.try_lock()
            && let Some((_, handle)) = &*timer
        {
            visit.call(handle)?;
        }
        Ok(())
    }

    fn __clear__(&self) {
        let waiters = self.waiters.try_lock().map(|mut waiters| std::mem::take(&mut *waiters));
        let timer = self.timer.try_lock().map(|mut timer| timer.take());
        drop((waiters, timer));
    }
}

impl HttpEngine {
    fn lock(&self) -> MutexGuard<'_, Engine> {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether this engine belongs to a parent process. Its lock may then stay locked forever.
    fn is_inherited(&self) -> bool {
        self.forks != FORKS.load(Ordering::Relaxed)
    }

    fn check(&self) -> PyResult<()> {
        if self.is_inherited() {
            return Err(PyRuntimeError::new_err(
                "the transport belongs to the parent of this forked process: create a new client after the fork",
            ));
        }
        Ok(())
    }

    /// Resolves the futures of exchanges that can continue, and sets the timer.
    fn resolve_ready(slf: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (slf.py(), slf.get());
        let Some((event_loop, _)) = &this.event_loop else {
            this.lock().take_ready();
            return Ok(());
        };
        let (ready, wake_at, more) = {
            let mut engine = this.lock();
            (engine.take_ready(), engine.wake_at(), engine.has_more())
        };
        for key in ready {
            if let Some(waiter) = this.take_waiter(key) {
                // This fails only if the reader was cancelled.
                let _ = waiter.call_method1(py, intern!(py, "set_result"), (py.None(),));
            }
        }
        if more {
            let poll = slf.getattr(intern!(py, "poll"))?;
            event_loop.call_method1(py, intern!(py, "call_soon"), (poll,))?;
        }
        match wake_at {
            Some(at) => Self::set_timer(slf, at),
            None => Ok(()),
        }
    }

    fn set_timer(slf: &Bound<'_, Self>, at: Instant) -> PyResult<()> {
        let (py, this) = (slf.py(), slf.get());
        let Some((event_loop, _)) = &this.event_loop else { return Ok(()) };
        {
            let timer = this.timer.lock().unwrap_or_else(PoisonError::into_inner);
            // A timer that fires too early is set again. Most deadlines are never reached.
            if timer.as_ref().is_some_and(|(set_for, _)| *set_for <= at) {
                return Ok(());
            }
        }
        let seconds = at.saturating_duration_since(Instant::now()).as_secs_f64();
        let expire = slf.getattr(intern!(py, "expire"))?;
        let handle = event_loop.call_method1(py, intern!(py, "call_later"), (seconds, expire))?;
        let before = this.timer.lock().unwrap_or_else(PoisonError::into_inner).replace((at, handle));
        if let Some((_, handle)) = before {
            handle.call_method0(py, intern!(py, "cancel"))?;
        }
        Ok(())
    }

    fn take_waiter(&self, key: usize) -> Option<Py<PyAny>> {
        let mut waiters = self.waiters.lock().unwrap_or_else(PoisonError::into_inner);
        waiters.get_mut(key).and_then(Option::take)
    }

    /// Returns a future that is resolved when the exchange can continue; `False` if the thread has to wait itself.
    fn wait<'py>(slf: &Bound<'py, Self>, key: usize) -> PyResult<Bound<'py, PyAny>> {
        let (py, this) = (slf.py(), slf.get());
        let Some((_, create_future)) = &this.event_loop else {
            return Ok(PyBool::new(py, false).to_owned().into_any());
        };
        let future = create_future.bind(py).call0()?;
        let before = {
            let mut waiters = this.waiters.lock().unwrap_or_else(PoisonError::into_inner);
            if waiters.len() <= key {
                waiters.resize_with(key + 1, || None);
            }
            waiters[key].replace(future.clone().unbind())
        };
        if let Some(before) = before
            && !before.call_method0(py, intern!(py, "done"))?.is_truthy(py)?
        {
            before.call_method0(py, intern!(py, "cancel"))?;
            return Err(PyRuntimeError::new_err("another task is already reading the response"));
        }
        let wake_at = this.lock().wake_at();
        if let Some(at) = wake_at {
            Self::set_timer(slf, at)?;
        }
        Ok(future)
    }
}

/// A request and its response.
#[pyclass(frozen, module = "ferroscope._core")]
pub struct HttpExchange {
    engine: Py<HttpEngine>,
    key: usize,
    closed: AtomicBool,
    make_error: Py<PyAny>,
}

#[pymethods]
impl HttpExchange {
    /// Returns the status, reason, version and headers; a future to await first (`False` without an event loop); or
    /// `None` if the engine needs the addresses of the host.
    fn head<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let engine = self.open(py)?;
        let next = engine.get().lock().head(self.key);
        match next {
            Ok(Next::Head(head)) => Ok(render(py, &head)?.into_any()),
            Ok(Next::Resolve) => Ok(py.None().into_bound(py)),
            Ok(Next::Wait) => HttpEngine::wait(engine, self.key),
            Err(error) => Err(raise(py, &self.make_error, &error)),
        }
    }

    /// Returns all body data that has arrived, empty bytes at the end, or a future to await first (`False` without an
    /// event loop).
    fn take<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let engine = self.open(py)?;
        let body = engine.get().lock().body(self.key);
        match body {
            Ok(Body::Data(data)) => Ok(PyBytes::new(py, &data).into_any()),
            Ok(Body::End) => Ok(PyBytes::new(py, b"").into_any()),
            Ok(Body::Wait) => HttpEngine::wait(engine, self.key),
            Err(error) => Err(raise(py, &self.make_error, &error)),
        }
    }

    /// Holds back body data, for at most so many seconds, so that one wake-up of the event loop serves many responses.
    fn hold(&self, py: Python<'_>, seconds: f64) -> PyResult<()> {
        let engine = self.open(py)?;
        if let Some(time) = duration(Some(seconds))? {
            engine.get().lock().hold(self.key, time);
        }
        Ok(())
    }

    /// Connects to one of these addresses, as `getaddrinfo` returns them.
    fn connect(&self, py: Python<'_>, addresses: Vec<Bound<'_, PyTuple>>) -> PyResult<()> {
        let engine = self.open(py)?;
        let addresses = addresses.iter().map(socket_address).collect::<PyResult<Vec<_>>>()?;
        engine.get().lock().connect(self.key, &addresses);
        HttpEngine::resolve_ready(engine)
    }

    /// Ends the exchange. Its waiter receives an error.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let engine = self.engine.bind(py);
        if self.closed.swap(true, Ordering::AcqRel) || engine.get().is_inherited() {
            return Ok(());
        }
        engine.get().lock().close(self.key);
        if let Some(waiter) = engine.get().take_waiter(self.key) {
            let _ = waiter.call_method1(py, intern!(py, "set_result"), (py.None(),));
        }
        if let Some(waker) = &engine.get().waker {
            waker.wake()?; // another thread may wait for the response
        }
        HttpEngine::resolve_ready(engine)
    }

    /// Returns the local and the remote address of the connection; `None` once it serves another request.
    fn addresses(&self, py: Python<'_>) -> Option<(String, u16, String, u16)> {
        let engine = self.open(py).ok()?;
        let (local, remote) = engine.get().lock().addresses(self.key)?;
        Some((local.ip().to_string(), local.port(), remote.ip().to_string(), remote.port()))
    }

    /// Returns the TLS version and cipher of the connection; `None` without TLS, or once it serves another request.
    fn tls_names(&self, py: Python<'_>) -> Option<(&'static str, &'static str)> {
        self.open(py).ok()?.get().lock().tls_names(self.key)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.engine)?;
        visit.call(&self.make_error)
    }
}

impl HttpExchange {
    fn open<'a, 'py>(&'a self, py: Python<'py>) -> PyResult<&'a Bound<'py, HttpEngine>> {
        if self.closed.load(Ordering::Acquire) {
            let closed = Error {
                kind: ferroscope_transport::Kind::Read,
                message: "the response was closed".to_owned(),
            };
            return Err(raise(py, &self.make_error, &closed));
        }
        let engine = self.engine.bind(py);
        engine.get().check()?;
        Ok(engine)
    }
}

impl Drop for HttpExchange {
    fn drop(&mut self) {
        if self.closed.swap(true, Ordering::AcqRel) {
            return;
        }
        Python::attach(|py| {
            let engine = self.engine.bind(py);
            let this = engine.get();
            if this.is_inherited() {
                return;
            }
            drop(this.take_waiter(self.key));
            this.lock().close(self.key);
            // The garbage collector may run in any thread, but futures must be resolved in the loop's thread.
            let Some((event_loop, _)) = &this.event_loop else { return };
            let poll = engine.getattr(intern!(py, "poll"));
            let _ = poll
                .and_then(|poll| event_loop.call_method1(py, intern!(py, "call_soon_threadsafe"), (poll,)));
        });
    }
}

fn raise(py: Python<'_>, make_error: &Py<PyAny>, error: &Error) -> PyErr {
    match make_error.call1(py, (error.kind.name(), &error.message)) {
        Ok(made) => PyErr::from_value(made.into_bound(py)),
        Err(failed) => failed,
    }
}

fn render<'py>(py: Python<'py>, head: &Head) -> PyResult<Bound<'py, PyTuple>> {
    let version: &[u8] = if head.is_http_11 { b"HTTP/1.1" } else { b"HTTP/1.0" };
    let headers = PyList::new(
        py,
        head.headers.iter().map(|(name, value)| (PyBytes::new(py, name), PyBytes::new(py, value))),
    )?;
    (head.status, PyBytes::new(py, &head.reason), PyBytes::new(py, version), headers).into_pyobject(py)
}

fn socket_address(address: &Bound<'_, PyTuple>) -> PyResult<SocketAddr> {
    let host: String = address.get_item(0)?.extract()?;
    let port: u16 = address.get_item(1)?.extract()?;
    let numeric = host.split('%').next().unwrap_or_default();
    if let Ok(ip) = numeric.parse::<Ipv6Addr>() {
        let scope = if address.len() > 3 { address.get_item(3)?.extract()? } else { 0 };
        return Ok(SocketAddrV6::new(ip, port, 0, scope).into());
    }
    let ip: IpAddr =
        numeric.parse().map_err(|_| PyValueError::new_err(format!("not an IP address: {host:?}")))?;
    Ok(SocketAddr::new(ip, port))
}

fn duration(seconds: Option<f64>) -> PyResult<Option<Duration>> {
    let Some(seconds) = seconds.filter(|seconds| *seconds != f64::INFINITY) else { return Ok(None) };
    // A negative timeout is zero, as in `asyncio`.
    Duration::try_from_secs_f64(seconds.max(0.0))
        .map(Some)
        .map_err(|_| PyValueError::new_err(format!("not a number of seconds: {seconds}")))
}
