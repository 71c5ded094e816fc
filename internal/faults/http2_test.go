package faults

import (
	"encoding/binary"
	"io"
	"net"
)

// The parts of HTTP/2 that are needed to close a connection with GOAWAY.
const (
	preface     = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	typeHeaders = 1
	typeSetting = 4
	typeGoAway  = 7
	internal    = 2 // the error code
)

type frame struct {
	kind byte
	raw  []byte // header and payload
}

func readFrame(r io.Reader) (frame, error) {
	head := make([]byte, 9)
	if _, err := io.ReadFull(r, head); err != nil {
		return frame{}, err
	}
	size := int(head[0])<<16 | int(head[1])<<8 | int(head[2])
	raw := append(head, make([]byte, size)...)
	_, err := io.ReadFull(r, raw[9:])
	return frame{head[3], raw}, err
}

func goAwayFrame(last, code uint32) []byte {
	raw := append([]byte{0, 0, 8, typeGoAway, 0, 0, 0, 0, 0}, make([]byte, 8)...)
	binary.BigEndian.PutUint32(raw[9:], last)
	binary.BigEndian.PutUint32(raw[13:], code)
	return raw
}

// goAway closes HTTP/2 connections with GOAWAY when the first request arrives. Either
// the request is not processed, as when a server restarts, or it is executed, and
// GOAWAY is sent instead of the response.
func goAway(executed bool) func(*network, net.Conn) {
	return func(n *network, conn net.Conn) {
		start := make([]byte, len(preface))
		if _, err := io.ReadFull(conn, start); err != nil || string(start) != preface {
			return
		}
		if !executed {
			_, _ = conn.Write([]byte{0, 0, 0, typeSetting, 0, 0, 0, 0, 0})
			for {
				f, err := readFrame(conn)
				if err != nil {
					return
				}
				if f.kind == typeHeaders {
					n.seen.Add(1)
					_, _ = conn.Write(goAwayFrame(0, 0))
				}
			}
		}
		server, err := net.Dial("tcp", n.api.Listener.Addr().String())
		if err != nil {
			return
		}
		defer func() { _ = server.Close() }()
		_, _ = server.Write(start)
		n.wg.Go(func() {
			defer func() { _ = server.Close() }() // ends the loop below
			for {
				f, err := readFrame(conn)
				if err != nil {
					return
				}
				if f.kind == typeHeaders {
					n.seen.Add(1)
				}
				if _, err := server.Write(f.raw); err != nil {
					return
				}
			}
		})
		for {
			f, err := readFrame(server)
			if err != nil {
				return
			}
			if f.kind == typeHeaders { // the response, so the request has been executed
				_, _ = conn.Write(goAwayFrame(1, internal))
				return
			}
			if _, err := conn.Write(f.raw); err != nil {
				return
			}
		}
	}
}
