-- putslot as an external component of Prosody: put this file into
-- /etc/prosody/conf.d/, and the same secret into the file that secret_file in
-- putslot.conf names.
--
-- Prosody takes components on port 5347 of this machine alone. Leave it so:
-- the connection is not encrypted. (component_ports and component_interfaces
-- are global: they have no effect in a file that is included below a
-- VirtualHost, as Debian does with those in conf.d.)
--
-- A name below that of the accounts' host is found by their clients without
-- further settings; for another, add to the accounts' VirtualHost:
--	disco_items = { { "files.example.net", "file upload" } }

-- Let no client send stanzas of hundreds of kilobytes; docs/security.md says
-- why and how, under "Limits against abuse".

Component "upload.example.org"
	component_secret = "change me"
