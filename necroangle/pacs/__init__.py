"""From and to the hospital's archive: DICOMweb and the DICOM network protocol.

``servers`` says where a server is and who asks; ``connection`` what a session does, ``dicomweb``
and ``dimse`` how; ``arrivals`` how an object gets into a folder; ``transfer`` what is tried again
and what is said. Neither library of the network is loaded before a connection begins.
"""
