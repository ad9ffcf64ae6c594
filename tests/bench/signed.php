<?php
// The least that an upload script does which keeps no database: the XMPP server
// signs each address, with the size that goes with it, and the script believes
// what is signed (HMAC-SHA256 of "path size" as v in the query).

$store = $_SERVER['STORE'];
$path = substr(explode('?', $_SERVER['REQUEST_URI'])[0], strlen('/upload/'));
$size = $_SERVER['CONTENT_LENGTH'];
$file = $store . '/' . substr($path, 0, 2) . '/' . basename($path);

$signature = hash_hmac('sha256', "$path $size", $_SERVER['SECRET']);
if (!hash_equals($signature, $_GET['v'] ?? '')) {
	http_response_code(403);
} elseif (file_exists($file) || !($to = fopen($file, 'x'))) {
	http_response_code(409);
} elseif (stream_copy_to_stream(fopen('php://input', 'r'), $to) != $size) {
	http_response_code(500);
} else {
	http_response_code(201);
}
header('Content-Length: 0');
