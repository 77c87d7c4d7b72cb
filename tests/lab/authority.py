# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's certificate authority, made anew for each run by openssl.

Validity reaches from 2015 on, because captures are dated then.
"""

import os
import subprocess
import threading

NOT_BEFORE, NOT_AFTER = '20150101000000Z', '20491231235959Z'
CONFIG = '''[ca]
default_ca=lab
[lab]
dir={dir}
new_certs_dir=$dir
database=$dir/index.txt
rand_serial=yes
default_md=sha256
policy=any
copy_extensions=copy
unique_subject=no
[any]
commonName=supplied
organizationName=optional
[authority]
basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign,cRLSign
'''


class Authority:
    def __init__(self, folder, subject='/O=darkline lab/CN=darkline lab root'):
        self.folder = folder
        self.lock = threading.Lock()
        os.makedirs(folder)
        self.config = os.path.join(folder, 'ca.cnf')
        self.certificate = os.path.join(folder, 'ca.pem')
        with open(self.config, 'w', encoding='ascii') as file:
            file.write(CONFIG.format(dir=folder))
        open(os.path.join(folder, 'index.txt'), 'w', encoding='ascii').close()
        self.request('ca', subject)
        self.sign('ca', '-selfsign', '-keyfile', os.path.join(folder, 'ca.key'), '-extensions', 'authority')

    def openssl(self, *arguments):
        done = subprocess.run(['openssl', *arguments], cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=20)
        if done.returncode:
            raise RuntimeError(f'openssl {arguments[0]}: {done.stderr.strip()}')

    def request(self, name, subject, *extra):
        self.openssl('req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout',
                     f'{name}.key', '-out', f'{name}.csr', '-subj', subject, *extra)

    def sign(self, name, *extra):
        self.openssl('ca', '-batch', '-config', self.config, '-startdate', NOT_BEFORE, '-enddate', NOT_AFTER, '-notext',
                     '-in', f'{name}.csr', '-out', f'{name}.pem', *extra)

    def issue(self, host, kind='', signed_by_itself=False, ended=None):
        """(certificate, key) files for a host name; a `kind` of them stands beside the usual one, and `ended` is when
        it ended to be valid."""
        name = f'{host}{kind}'
        paths = os.path.join(self.folder, f'{name}.pem'), os.path.join(self.folder, f'{name}.key')
        with self.lock:
            if not os.path.exists(paths[0]):
                self.request(name, f'/CN={host}', '-addext', f'subjectAltName=DNS:{host}')
                signer = (['-selfsign', '-keyfile', paths[1]] if signed_by_itself else
                          ['-cert', self.certificate, '-keyfile', os.path.join(self.folder, 'ca.key')])
                self.sign(name, *signer, *(['-enddate', ended] if ended else []))
        return paths
