//! What is read, what is refused, and that no read waits.

use std::path::Path;

use super::{ReadError, read};

fn refused(path: &Path) -> String {
    read(path, 10).unwrap_err().to_string()
}

#[test]
fn a_file_is_read_up_to_its_limit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, "0123456789").unwrap();
    assert_eq!(read(&path, 10).unwrap(), b"0123456789");
    assert_eq!(read(&path, 9).unwrap_err().to_string(), "it is larger than 9 bytes");
    assert!(read(&folder.path().join("none"), 9).unwrap_err().is_not_found());
    super::check(&path).unwrap();
}

#[cfg(unix)]
mod on_unix {
    use std::io::Write as _;
    use std::os::fd::AsRawFd as _;

    use super::super::process::ProcessIds;
    use super::super::secret::{Ownership, exposure_to};
    use super::*;

    fn fifo(folder: &Path) -> std::path::PathBuf {
        let path = folder.join("fifo");
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::RWXU).unwrap();
        path
    }

    #[test]
    fn what_is_no_file_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = fifo(folder.path());
        assert_eq!(refused(&fifo), "it is a pipe, not a file");
        assert_eq!(refused(folder.path()), "it is a folder, not a file");
        assert_eq!(refused(Path::new("/dev/zero")), "it is a device, not a file");
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert_eq!(refused(&socket), "it is a socket, not a file");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&fifo, &link).unwrap();
        assert_eq!(refused(&link), "it is a pipe, not a file");
        assert!(crate::check(&fifo).is_err());
    }

    #[test]
    fn a_pipe_that_the_process_was_given_is_read_to_its_end() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        let path = format!("/dev/fd/{}", reader.as_raw_fd());
        let path = Path::new(&path);
        writer.write_all(b"01234").unwrap();
        let rest = std::thread::spawn(move || writer.write_all(b"56789"));
        assert_eq!(read(path, 10).unwrap(), b"0123456789");
        rest.join().unwrap().unwrap();
        // Nobody can write any more.
        assert_eq!(read(path, 10).unwrap(), b"");
        let (reader, mut writer) = std::io::pipe().unwrap();
        writer.write_all(&[0; 11]).unwrap();
        let path = format!("/dev/fd/{}", reader.as_raw_fd());
        let refused = read(Path::new(&path), 10);
        assert!(matches!(refused, Err(ReadError::TooLarge(10))));
    }

    #[test]
    fn a_secret_is_its_owners_or_that_of_a_group_of_this_process() {
        let process = ProcessIds {
            user: 1000,
            groups: vec![1000, 2000],
        };
        let verdict = |user, group, mode| {
            let exposure = exposure_to(Ownership { user, group, mode }, &process);
            exposure.map(|exposure| exposure.to_string()).unwrap_or_default()
        };
        // Kubernetes with `fsGroup: 2000`, and files of the process's user and of others that let nobody else in.
        for (user, group, mode) in [
            (0, 2000, 0o440),
            (1000, 2000, 0o640),
            (1000, 1, 0o600),
            (0, 1, 0o400),
            (7, 7, 0o400),
            // A credential of systemd.
            (0, 0, 0o440),
        ] {
            assert_eq!(verdict(user, group, mode), "", "{user}:{group} {mode:o}");
        }
        for (user, group, mode, expected) in [
            (0, 2000, 0o444, "can be read by every user of this machine (mode 0444)"),
            (
                1000,
                1000,
                0o604,
                "can be read by every user of this machine (mode 0604)",
            ),
            (
                1000,
                1000,
                0o602,
                "can be written by every user of this machine (mode 0602)",
            ),
            (
                1000,
                1000,
                0o606,
                "can be read by every user of this machine (mode 0606)",
            ),
            (
                1000,
                1000,
                0o601,
                "can be executed by every user of this machine (mode 0601)",
            ),
            (
                1000,
                3000,
                0o620,
                "can be written by the group 3000, which is none of this process's (mode 0620)",
            ),
            (
                0,
                3000,
                0o440,
                "can be read by the group 3000, which is none of this process's (mode 0440)",
            ),
            (
                7,
                2000,
                0o440,
                "belongs to the user 7, who is neither root nor the user of this process (mode 0440)",
            ),
        ] {
            assert_eq!(verdict(user, group, mode), expected, "{user}:{group} {mode:o}");
        }
    }
}
